package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	_, err := session.NewManager(session.Config{
		Name: "a b", IdleTimeout: -1, Lifetime: 1, MaxLifetime: 1 << 62, RefreshAfter: -1,
		MaxPerSubject: -1, CommitTimeout: 1 << 50, SealKeys: make([]session.SealKey, 17),
	})
	_, err2 := session.NewManager(session.Config{IdleTimeout: time.Minute, RefreshAfter: time.Minute})
	_, err3 := session.NewManager(session.Config{Lifetime: time.Hour, MaxLifetime: time.Minute})
	err = errors.Join(err, err2, err3)
	for _, field := range []string{"Store", "Name", "IdleTimeout", "Lifetime", "MaxLifetime", "RefreshAfter", "MaxPerSubject", "CommitTimeout", "SealKeys"} {
		if err == nil || !strings.Contains(err.Error(), "session.Config."+field) {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
	var one *session.ConfigError
	if !errors.As(err, &one) {
		t.Errorf("no ConfigError in %v", err)
	}
}
