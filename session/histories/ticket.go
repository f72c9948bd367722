package histories

import (
	"fmt"
	"strings"

	"github.com/coatcheck/coatcheck/session"
)

// A ticket is one credential of a session: the first one, or one that a renewal
// gave. What is said of it here never changes.
type ticket struct {
	number  int // in the order in which an episode's requests asked for them
	from    *ticket
	line    *line
	subject string
	token   bool // a token may open the session: said when the ticket was issued

	// Of a ticket that nobody was given, since the renewal failed or its answer
	// was lost, these are zero.
	id         session.ID
	credential session.Credential
}

// leadsTo reports whether t is u, or u came from it by renewals.
func (t *ticket) leadsTo(u *ticket) bool {
	for ; u != nil; u = u.from {
		if u == t {
			return true
		}
	}
	return false
}

// reaches reports whether a subject's Revoke of t gets through to u, which t
// leads to: it follows no renewal that gave the session to somebody else.
func (t *ticket) reaches(u *ticket, subject string) bool {
	if t == u {
		return u.subject == subject
	}
	for ; u != t; u = u.from {
		if u.subject != subject {
			return false
		}
	}
	return true
}

func (t *ticket) String() string {
	switch {
	case t == nil:
		return "no ticket"
	case t.subject == "":
		return fmt.Sprintf("ticket %d", t.number)
	default:
		return fmt.Sprintf("ticket %d of %s", t.number, firstName(t.subject))
	}
}

// firstName is enough to tell an episode's subjects apart.
func firstName(subject string) string {
	name, _, _ := strings.Cut(subject, " ")
	return name
}

// A line is one session through all of its renewals.
type line struct{ number int }
