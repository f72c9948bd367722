package memcached

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// putCommand is a command that stores item (protocol.txt, "Storage commands"): a
// copy, for it may be sent after its caller has left.
func putCommand(verb string, item *memcache.Item) []byte {
	const numbers = 64 // is room for them, and for what stands between
	b := make([]byte, 0, len(verb)+len(item.Key)+len(item.Value)+numbers)
	b = append(append(append(append(b, verb...), ' '), item.Key...), ' ')
	b = append(strconv.AppendUint(b, uint64(item.Flags), 10), ' ')
	b = append(strconv.AppendInt(b, int64(item.Expiration), 10), ' ')
	b = strconv.AppendInt(b, int64(len(item.Value)), 10)
	if verb == "cas" {
		b = strconv.AppendUint(append(b, ' '), item.CasID, 10)
	}
	b = append(append(b, "\r\n"...), item.Value...)
	return append(b, "\r\n"...)
}

// puts sends all commands, one after another, and then reads their answers, which
// are short. After an error nothing is known of those that have none.
func (l *link) puts(riders []rider) error {
	l.out = l.out[:0]
	for i := range riders {
		l.out = append(l.out, riders[i].command...)
	}
	if err := l.say(); err != nil {
		return err
	}
	var failed error
	for i := range riders {
		line, err := l.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		r := &riders[i]
		switch r.answered = true; {
		case string(line) == "STORED\r\n":
		case string(line) == "NOT_STORED\r\n":
			r.answer = memcache.ErrNotStored
		case string(line) == "EXISTS\r\n":
			r.answer = memcache.ErrCASConflict
		case string(line) == "NOT_FOUND\r\n":
			r.answer = memcache.ErrCacheMiss
		case bytes.HasPrefix(line, []byte("SERVER_ERROR object too large for cache")):
			r.answer = session.ErrTooLarge // see orTooLarge
		case bytes.HasPrefix(line, []byte("SERVER_ERROR ")):
			// It has read the value and goes on, as when it is out of memory.
			r.answer = fmt.Errorf("%.100q", line)
			failed = r.answer
		default:
			r.answered = false
			return fmt.Errorf("%w: %.100q", errAnswer, line)
		}
	}
	if err := l.inStep(); err != nil {
		return err
	}
	return failed
}
