package session_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestOneSpellingOfAnID(t *testing.T) {
	t.Parallel()
	const text = "0f4e3c2b-1a09-4877-a655-443322110f0e"
	id, err := session.ParseID(text)
	if err != nil || id.String() != text {
		t.Fatalf("%v, %v", id, err)
	}
	for _, bad := range []string{"", strings.ToUpper(text), "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""), text + "0"} {
		if got, err := session.ParseID(bad); err == nil || !got.IsZero() {
			t.Errorf("%q was taken", bad)
		}
	}
	b, err := json.Marshal(map[string]session.ID{"id": id, "none": {}})
	if err != nil || string(b) != `{"id":"`+text+`","none":""}` {
		t.Errorf("%s, %v", b, err)
	}
	var back map[string]session.ID
	if err := json.Unmarshal(b, &back); err != nil || back["id"] != id || !back["none"].IsZero() {
		t.Errorf("%v, %v", back, err)
	}
}
