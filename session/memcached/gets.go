package memcached

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/bradfitz/gomemcache/memcache"
)

// readBuffer holds the answer to a full batch of small sessions, so that it
// takes one system call.
const readBuffer = 32 << 10

var (
	errAnswer    = errors.New("an answer that makes no sense")
	errNoVersion = errors.New("an answer without a version; memcached must not run with -C")
)

// gets asks for all keys by one command (protocol.txt, "Retrieval command"). After
// an error what was found by then is good, and nothing is known of others.
//
// gomemcache's GetMulti does the same by a map, a goroutine and a buffer of
// 4 KiB, which cost more than what is saved by asking at once.
func (l *link) gets(riders []rider) error {
	l.out = append(l.out[:0], "gets"...)
	for i := range riders {
		l.out = append(append(l.out, ' '), riders[i].key...)
	}
	l.out = append(l.out, "\r\n"...)
	if err := l.say(); err != nil {
		return err
	}
	for at := 0; ; at++ {
		line, err := l.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if string(line) == "END\r\n" {
			return l.inStep()
		}
		name, head, size, err := parseValueLine(line)
		if err != nil {
			return err
		}
		// Answers come in the order of the questions. One to something else would
		// show somebody another's session.
		for at < len(riders) && riders[at].key != string(name) {
			at++
		}
		if at == len(riders) {
			return fmt.Errorf("%w: the key %q", errAnswer, name)
		}
		head.Key = riders[at].key
		if head.Value, err = readValue(l.in, size); err != nil {
			return err
		}
		riders[at].found = head
	}
}

// say sends what is to go out, and makes ready for the answer.
func (l *link) say() error {
	if l.in == nil {
		l.in = bufio.NewReaderSize(l, readBuffer)
	}
	_, err := l.Write(l.out)
	if cap(l.out) > maxBatchBytes {
		l.out = nil // more than most need
	}
	return err
}

// inStep makes sure that nothing comes after the answer: it would be taken for
// the next one.
func (l *link) inStep() error {
	if l.in.Buffered() > 0 {
		return fmt.Errorf("%w: more of it than asked for", errAnswer)
	}
	return nil
}

// parseValueLine reads "VALUE <key> <flags> <bytes> <cas unique>\r\n". The name
// is part of line.
func parseValueLine(line []byte) (name []byte, head memcache.Item, size int, err error) {
	refuse := func() ([]byte, memcache.Item, int, error) {
		return nil, memcache.Item{}, 0, fmt.Errorf("%w: %.100q", errAnswer, line)
	}
	rest, ok := bytes.CutPrefix(line, []byte("VALUE "))
	rest, ended := bytes.CutSuffix(rest, []byte("\r\n"))
	if !ok || !ended {
		return refuse()
	}
	name, rest, _ = bytes.Cut(rest, []byte(" "))
	flags, rest, _ := bytes.Cut(rest, []byte(" "))
	length, version, versioned := bytes.Cut(rest, []byte(" "))
	f, err1 := strconv.ParseUint(string(flags), 10, 32)
	n, err2 := strconv.ParseUint(string(length), 10, 32)
	if err1 != nil || err2 != nil || n > maxValueBytes {
		return refuse()
	}
	if !versioned {
		return nil, memcache.Item{}, 0, errNoVersion
	}
	v, err := strconv.ParseUint(string(version), 10, 64)
	switch {
	case err != nil:
		return refuse()
	case v < 1 || v > math.MaxInt64:
		return nil, memcache.Item{}, 0, errNoVersion
	}
	return name, memcache.Item{Flags: uint32(f), CasID: v}, int(n), nil
}

// readValue makes room for a large value as it comes, not because its length
// says so.
func readValue(r io.Reader, size int) ([]byte, error) {
	var value []byte
	var err error
	if size += len("\r\n"); size <= DefaultMaxValueBytes {
		value = make([]byte, size)
		_, err = io.ReadFull(r, value)
	} else {
		var b bytes.Buffer
		_, err = io.CopyN(&b, r, int64(size))
		value = b.Bytes()
	}
	if err != nil {
		return nil, err
	}
	value, ok := bytes.CutSuffix(value, []byte("\r\n"))
	if !ok {
		return nil, fmt.Errorf("%w: a value of another length", errAnswer)
	}
	return value, nil
}
