package chimw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

var (
	errTooLarge = errors.New("chimw: the body is larger than Config.MaxBody")
	errNotJSON  = errors.New("chimw: the body is no JSON")
	errCutShort = errors.New("chimw: the body could not be read")
)

// readBody looks for a token in a JSON body, and leaves the body as it found it.
func (mw *Middleware) readBody(r *http.Request) (shown, *Problem) {
	if mw.cfg.BodyField == "" || r.Body == nil || r.Body == http.NoBody {
		return shown{}, nil
	}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
		return shown{}, nil
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, mw.cfg.MaxBody+1))
	r.Body = replayed{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	// Of a body that wasn't seen whole nobody knows whether it shows a token:
	// not to be taken for an anonymous request's.
	var limit *http.MaxBytesError
	switch {
	case int64(len(head)) > mw.cfg.MaxBody, errors.As(err, &limit):
		return shown{}, newProblem(http.StatusRequestEntityTooLarge, errTooLarge)
	case err != nil:
		return shown{}, newProblem(http.StatusBadRequest, fmt.Errorf("%w: %w", errCutShort, err))
	case len(head) == 0:
		return shown{}, nil
	case !json.Valid(head):
		return shown{}, newProblem(http.StatusBadRequest, errNotJSON)
	}
	return topLevel(head, mw.cfg.BodyField), nil
}

// replayed is a body that was looked into.
type replayed struct {
	io.Reader
	io.Closer
}

// topLevel finds a field of an object by its exact name: encoding/json's
// structs would take another case, and the last of several. body is valid JSON,
// and is walked rather than decoded: nobody has proved anything yet.
func topLevel(body []byte, field string) (s shown) {
	w := walker{body}
	if w.next() != '{' {
		return shown{}
	}
	for w.peek() == '"' {
		name := w.value()
		w.next() // the colon
		value := w.value()
		w.next() // the comma, or the end
		if !names(name, field) {
			continue
		}
		var token *string
		if s.present || json.Unmarshal(value, &token) != nil || token == nil {
			return shown{present: true, conflict: true} // twice, or not a text
		}
		s = shown{token: *token, present: true}
	}
	return s
}

// names reports whether a JSON string is the field's name, which is ASCII, in
// whichever spelling. It allocates nothing.
func names(literal []byte, field string) bool {
	text := literal[1 : len(literal)-1]
	for len(text) > 0 && field != "" {
		c, n := text[0], 1
		if c == '\\' {
			c, n = unescape(text)
		}
		if c != field[0] {
			return false
		}
		text, field = text[n:], field[1:]
	}
	return len(text) == 0 && field == ""
}

// unescape returns the character that an escape stands for, 0 for one that
// isn't ASCII or is a control, and the escape's length.
func unescape(text []byte) (c byte, n int) {
	if text[1] != 'u' {
		if strings.IndexByte(`"\/`, text[1]) >= 0 {
			return text[1], 2
		}
		return 0, 2
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil || v > '~' {
		return 0, 6
	}
	return byte(v), 6
}
