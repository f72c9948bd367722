package chimw

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

var errTooLarge = errors.New("chimw: the body is larger than Config.MaxBody")

// readBody looks for a token in a JSON body, and leaves the body as it found it.
// What isn't a JSON object is the handler's to judge and shows no token.
func (mw *Middleware) readBody(r *http.Request) (shown, error) {
	if mw.cfg.BodyField == "" || r.Body == nil || r.Body == http.NoBody {
		return shown{}, nil
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return shown{}, nil
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, mw.cfg.MaxBody+1))
	r.Body = &replayed{io.MultiReader(bytes.NewReader(head), after(err, r.Body)), r.Body}
	if int64(len(head)) > mw.cfg.MaxBody {
		return shown{}, errTooLarge // a token might follow: not to be taken for an anonymous request
	}
	if err != nil {
		return shown{}, nil // the handler meets the same error
	}
	return topLevel(head, mw.cfg.BodyField), nil
}

// replayed is a body that was looked into.
type replayed struct {
	io.Reader
	io.Closer
}

func after(err error, rest io.Reader) io.Reader {
	if err != nil {
		return failing{err}
	}
	return rest
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// topLevel finds a field of an object by its exact name: encoding/json's
// structs would take another case, and the last of several.
func topLevel(body []byte, field string) (s shown) {
	if !json.Valid(body) {
		return shown{}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return shown{}
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return shown{}
		}
		if name != field {
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
