package benchmarks

import (
	"fmt"
	"strings"
)

// A User is what a session holds besides its counter, which begins with 0.
type User struct {
	Email  string
	Note   string
	Values map[string]string
}

// What sessions hold unless a row of the tables says otherwise.
const (
	NoteBytes   = 200
	SessionKeys = 3 // email, counter and note
)

// NewUser returns the i-th user, with so many bytes in so many values of one
// session, at least [SessionKeys]. The names of values beyond these sort before
// email: a library that looks for names in their order has to pass all of them.
func NewUser(i, bytes, keys int) User {
	each := bytes / (keys - SessionKeys + 1)
	u := User{
		Email:  fmt.Sprintf("user%06d@example.com", i),
		Note:   strings.Repeat("n", each),
		Values: make(map[string]string),
	}
	for k := range keys - SessionKeys {
		u.Values[fmt.Sprintf("a%03d", k)] = strings.Repeat("v", each)
	}
	return u
}

// all yields every string under its name.
func (u User) all(yield func(key, value string) bool) {
	if !yield(emailKey, u.Email) || !yield(noteKey, u.Note) {
		return
	}
	for key, value := range u.Values {
		if !yield(key, value) {
			return
		}
	}
}
