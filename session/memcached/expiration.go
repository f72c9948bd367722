package memcached

import (
	"math"
	"time"
)

// maxRelative is what memcached takes for a number of seconds from now. A
// higher number is a Unix time (protocol.txt, "Expiration times").
const maxRelative = 30 * 24 * 60 * 60

// clockLag is how many seconds a node's clock may be behind.
const clockLag = 2

// expiration returns what stands for ttl, which is positive, in gomemcache's
// Item.Expiration. It is never 0, which would mean for ever, nor negative,
// which would mean at once.
//
// The node's clock shows whole seconds and is looked at once a second, so that it
// is up to two seconds behind, and a count of n seconds is over after n-2 to n
// (seen on a node that was looked at late, for want of a processor). Two are
// added: a ttl is rounded up, and the entry is gone at most 3 seconds after it.
func expiration(now time.Time, ttl time.Duration) int32 {
	seconds := int64(ttl / time.Second)
	if ttl%time.Second != 0 {
		seconds++
	}
	seconds += clockLag
	if seconds <= maxRelative {
		return int32(seconds) //nolint:gosec // at most 30 days
	}
	return farExpiration(now.Unix(), seconds)
}

// farExpiration returns the Unix time in that many seconds if it has 31 bits,
// all that gomemcache can send. From January 2038 on it has not: then the
// longest that can be said has to do, which is that month or 30 days.
func farExpiration(now, seconds int64) int32 {
	at := now + seconds
	switch {
	case at <= math.MaxInt32:
		return int32(at) //nolint:gosec // at most MaxInt32, as asked above
	case math.MaxInt32-now > maxRelative:
		return math.MaxInt32
	default:
		return maxRelative
	}
}
