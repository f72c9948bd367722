package browser_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/coatcheck/coatcheck/internal/needs"
)

// TestCopiedLines runs in a shell what the page's buttons put on the clipboard.
// There is but one: its subtests take turns.
func TestCopiedLines(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-idle", "30m")
	for name, program := range map[string]struct{ name, wrapper string }{
		// Neither fails by itself if the server refuses. HTTPie takes any stdin but a terminal for a body.
		"curl":   {"curl", `curl() { command curl --silent --show-error --fail "$@"; }`},
		"httpie": {"http", `http() { command http --check-status --ignore-stdin "$@"; }`},
	} {
		t.Run(name, func(t *testing.T) {
			needs.Program(t, required, program.name)
			b := open(t, origin)
			b.allowReadingTheClipboard()
			b.signIn("alice")
			b.submit("#form-visit")
			b.submit("#form-token")
			id := b.text("#session-id")

			do(b, chromedp.Click(chromedp.CSS("button[data-copy="+name+"]")))
			b.await("button[data-copy="+name+"] ~ [role=status]", "Copied")
			line := do(b, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
			if shown := b.text("#" + name); line != shown {
				t.Errorf("copied %q, shown %q", line, shown)
			}
			out := shell(t, program.wrapper+"\n"+line)
			var d description
			if err := json.Unmarshal(out, &d); err != nil || d.ID != id || d.Subject != "alice" || d.Carrier != "token" || d.Visits != 1 {
				t.Errorf("%v: it answers %s, want session %s", err, out, id)
			}
		})
	}
}

func (b *tab) allowReadingTheClipboard() {
	b.t.Helper()
	_, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission:       &browser.PermissionDescriptor{Name: "clipboard-read"},
		Setting:          browser.PermissionSettingGranted,
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// shell runs a line, which must succeed, and returns what it prints. HTTPie is
// kept from looking for news of itself.
func shell(t *testing.T, line string) []byte {
	t.Helper()
	config := t.TempDir()
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(`{"disable_update_warnings": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Env = append(os.Environ(), "HTTPIE_CONFIG_DIR="+config, "no_proxy=127.0.0.1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", line, err, out)
	}
	return out
}
