package browser_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// A request is one that a tab has sent. A redirect leads to another one with
// the same ID.
type request struct {
	id     network.RequestID
	method string
	url    string
	status int64 // of the answer; 0 while there is none
	cached bool  // the answer is the browser's own
}

func (r request) String() string { return fmt.Sprintf("%s %s: %d", r.method, r.url, r.status) }

// A watch sees all that a tab does, from its first message on. Whatever nobody
// expected is a complaint, which fails the test: anything on the console, a
// script's exception, a violation of the Content-Security-Policy or another
// issue that the browser raises, a request to elsewhere.
type watch struct {
	mu         sync.Mutex
	origins    []string // where requests may go
	requests   []request
	headers    map[network.RequestID][]network.Headers // as they were really sent
	complaints []string
	expected   []string // parts of complaints that are none
}

// see is called for each event, and must not block.
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.complain("exception: %s %s", e.ExceptionDetails.Text, describe(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		w.complain("console.%s:%s", e.Type, describe(e.Args...))
	case *log.EventEntryAdded:
		w.complain("%s %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *audits.EventIssueAdded:
		details, _ := json.Marshal(e.Issue.Details)
		w.complain("%s: %s", e.Issue.Code, details)
	case *network.EventRequestWillBeSent:
		w.sent(e)
	case *network.EventRequestWillBeSentExtraInfo:
		w.headers[e.RequestID] = append(w.headers[e.RequestID], e.Headers)
	case *network.EventResponseReceived:
		w.answered(e.RequestID, e.Response)
	}
}

func describe(objects ...*runtime.RemoteObject) (text string) {
	for _, o := range objects {
		if o != nil {
			text += " " + o.Description + string(o.Value)
		}
	}
	return text
}

func (w *watch) complain(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *watch) sent(e *network.EventRequestWillBeSent) {
	if e.RedirectResponse != nil {
		w.answered(e.RequestID, e.RedirectResponse)
	}
	if strings.HasPrefix(e.Request.URL, "data:") {
		return
	}
	w.requests = append(w.requests, request{id: e.RequestID, method: e.Request.Method, url: e.Request.URL})
	if !slices.ContainsFunc(w.origins, func(o string) bool { return strings.HasPrefix(e.Request.URL, o+"/") }) {
		w.complain("a request to elsewhere: %s", e.Request.URL)
	}
}

func (w *watch) answered(id network.RequestID, r *network.Response) {
	for i := range w.requests {
		if w.requests[i].id == id && w.requests[i].status == 0 {
			w.requests[i].status, w.requests[i].cached = r.Status, r.FromDiskCache
		}
	}
}

// unexpected is what there is to complain about.
func (w *watch) unexpected() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.complaints), func(c string) bool {
		return slices.ContainsFunc(w.expected, func(part string) bool { return strings.Contains(c, part) })
	})
}

// all returns the requests so far.
func (w *watch) all() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// header returns a header that a request was sent with, or "".
func (w *watch) header(r request, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, headers := range w.headers[r.id] {
		for key, value := range headers {
			if strings.EqualFold(key, name) {
				return fmt.Sprint(value)
			}
		}
	}
	return ""
}

// last is the latest request.
func (w *watch) last() request {
	all := w.all()
	if len(all) == 0 {
		return request{}
	}
	return all[len(all)-1]
}
