module github.com/coatcheck/coatcheck/cmd/example/browser

go 1.25.1

replace github.com/coatcheck/coatcheck => ../../..

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/coatcheck/coatcheck v0.0.0-00010101000000-000000000000
)

require github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
