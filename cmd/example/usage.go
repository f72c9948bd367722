package main

import (
	"fmt"
	"io"
)

// usage explains everything that the program can be told.
func usage(w io.Writer) {
	fmt.Fprint(w, "example serves browsers and API clients the same sessions on the same routes.\n\n",
		"Flags; each can be given as an environment variable instead, and wins over it:\n\n")
	for _, o := range options {
		flag := "-" + o.name
		if o.arg != "" {
			flag += " " + o.arg
		}
		fallback := o.fallback
		if fallback == "" {
			fallback = `""`
		}
		fmt.Fprintf(w, "  %s\n        %s\n        (%s, default %s)\n", flag, o.usage, o.env(), fallback)
	}
	fmt.Fprint(w, elsewhere)
}

const elsewhere = `  -health URL
        serve nothing: get the URL and exit with 0 if it answers 200, else 1

Secrets, by environment alone:

  COATCHECK_KEYS  id:base64,...
        keys of at least 32 bytes, from which come those that sign tokens and
        those that seal what is stored. The first one signs and seals, all open:
        to change keys, add one at the end, then move it to the front, then,
        after -lifetime, drop the old one. A line for it is printed by
        echo "2026-a:$(openssl rand -base64 32)"
        (default: a random one, which ends with the process)
  COATCHECK_EXTERNAL_KEY  id:base64
        key that gives the clients of -api-keys their sessions. It has to stay
        the same when the others change, or those clients begin new sessions.
        (default: the first of COATCHECK_KEYS)

Exit status: 0 after a shutdown by SIGTERM or SIGINT, 1 if serving failed, 2 for
mistakes in the configuration.
`
