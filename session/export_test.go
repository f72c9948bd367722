package session

// MarkerTTL and MaxCommitTimeout are what they are called.
const (
	MarkerTTL        = markerTTL
	MaxCommitTimeout = maxCommitTimeout
)

// Open opens a sealed value.
func Open(k SealKey, manager, storeKey string, value []byte) ([]byte, error) {
	s, err := newSealer(k, manager)
	if err != nil {
		return nil, err
	}
	return sealers{s}.open(storeKey, value)
}

// Reencode decodes a body and encodes what it holds.
func Reencode(body []byte) ([]byte, error) {
	if len(body) > 0 && body[0] == kindIndex {
		x, err := decodeIndex(body)
		if err != nil {
			return nil, err
		}
		return x.encode(), nil
	}
	e, err := decodeEntry(body)
	if err != nil {
		return nil, err
	}
	if e.record != nil {
		return e.record.encode(), nil
	}
	return e.marker.encode(), nil
}

// PlainText is the way of a string past the decoder.
func PlainText(raw []byte) (string, bool) { return plainText(raw) }
