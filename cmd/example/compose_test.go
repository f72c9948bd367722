package main_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var settingName = regexp.MustCompile(`\bCOATCHECK_[A-Z_]+\b`)

// TestCompose checks that every setting there is can be given to the container,
// but for those that the file names as exceptions, and that there are no others.
func TestCompose(t *testing.T) {
	t.Parallel()
	text := page(t, "docker-compose.yml")
	var file struct {
		Services struct {
			Example struct{ Environment map[string]string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]bool)
	for name := range file.Services.Example.Environment {
		said[name] = true
	}
	comment, _, _ := strings.Cut(text, "\nname: ")
	_, exceptions, found := strings.Cut(comment, "can't be set so")
	if !found || len(said) == 0 {
		t.Fatalf("the environment is %v, the comment %s", said, comment)
	}
	for _, name := range settingName.FindAllString(exceptions, -1) {
		if said[name] {
			t.Errorf("%s is said not to be handed on, and is", name)
		}
		said[name] = true
	}
	_, help, _ := runOnce(t, nil, "-h")
	explained := make(map[string]bool)
	for _, name := range settingName.FindAllString(help, -1) {
		explained[name] = true
	}
	if !maps.Equal(said, explained) {
		t.Errorf("docker-compose.yml has %q, -h explains %q", sorted(said), sorted(explained))
	}
}
