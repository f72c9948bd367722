package migrating

// Turns is how many sessions the bridge remembers.
func (b *Bridge) Turns() int {
	b.turns.mu.Lock()
	defer b.turns.mu.Unlock()
	return len(b.turns.all)
}
