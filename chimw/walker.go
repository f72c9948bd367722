package chimw

import "bytes"

// walker goes through a text that is known to be valid JSON.
type walker struct{ rest []byte }

// peek returns the next byte that isn't white space, 0 at the end.
func (w *walker) peek() byte {
	w.rest = bytes.TrimLeft(w.rest, " \t\r\n")
	if len(w.rest) == 0 {
		return 0
	}
	return w.rest[0]
}

// next passes that byte.
func (w *walker) next() byte {
	c := w.peek()
	if c != 0 {
		w.rest = w.rest[1:]
	}
	return c
}

// value passes one value, or name, and returns its text.
func (w *walker) value() []byte {
	w.peek()
	n, depth := 0, 0
	for n < len(w.rest) {
		switch c := w.rest[n]; c {
		case '"':
			n += stringBytes(w.rest[n:])
			continue
		case '{', '[':
			depth++
		case '}', ']', ',', ':':
			if depth == 0 {
				return w.take(n)
			}
			if c == '}' || c == ']' {
				depth--
			}
		}
		n++
	}
	return w.take(n)
}

func (w *walker) take(n int) []byte {
	v := bytes.TrimRight(w.rest[:n], " \t\r\n")
	w.rest = w.rest[n:]
	return v
}

// stringBytes returns the length of the string that b begins with.
func stringBytes(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
