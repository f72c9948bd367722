package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// readField returns the field that a form or a JSON object has, "" if it has
// none. Its errors are meant for the client.
func readField(w http.ResponseWriter, r *http.Request, field string, limit int64) (value string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	switch contentType(r) {
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
		value = r.PostForm.Get(field)
	case "multipart/form-data":
		err = r.ParseMultipartForm(limit) //nolint:gosec // the body is limited above
		value = r.PostForm.Get(field)
	case "application/json":
		value, err = decodeField(r.Body, field)
	default:
		return "", invalid(http.StatusUnsupportedMediaType, fmt.Sprintf(`Send {%q:"…"} as application/json, or a form with the field %s.`, field, field))
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", invalid(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body may have at most %d bytes.", tooLarge.Limit))
	case err != nil:
		return "", invalid(http.StatusBadRequest, fmt.Sprintf(`The body is neither a JSON object such as {%q:"…"} nor a form.`, field))
	}
	return value, nil
}

func decodeField(body io.Reader, field string) (value string, err error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return "", err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object[field] == nil {
		return "", err
	}
	return value, json.Unmarshal(object[field], &value)
}
