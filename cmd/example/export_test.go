package main

// For the tests: the program, in this process and as a process of its own.
var (
	Main = main
	Run  = run
)

// What the tests must agree on with the program.
const Issuer = issuer

var (
	CSS   = pageCSS
	JS    = pageJS
	Label = label
)
