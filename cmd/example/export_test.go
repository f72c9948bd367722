package main

// For the tests: the program, in this process and as a process of its own.
var (
	Main = main
	Run  = run
)

// Issuer and CSS are what the tests must agree on with the program.
const Issuer = issuer

var CSS = pageCSS
