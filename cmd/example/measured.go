package main

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/prometheus/client_golang/prometheus"
)

// What an operation of the store can come to: a label of its duration.
const (
	outcomeOK        = "ok"
	outcomeNotFound  = "not found"
	outcomeExists    = "exists"
	outcomeConflict  = "conflict"
	outcomeTooLarge  = "too large"
	outcomeAbandoned = "abandoned" // the client left: nothing is wrong with the store
	outcomeFailed    = "failed"
)

// outcomes are those of each operation, by session.Store's contract.
var outcomes = map[string][]string{
	"get":    {outcomeOK, outcomeNotFound, outcomeAbandoned, outcomeFailed},
	"create": {outcomeOK, outcomeExists, outcomeTooLarge, outcomeAbandoned, outcomeFailed},
	"update": {outcomeOK, outcomeNotFound, outcomeConflict, outcomeTooLarge, outcomeAbandoned, outcomeFailed},
	"delete": {outcomeOK, outcomeAbandoned, outcomeFailed},
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return outcomeOK
	case errors.Is(err, session.ErrNotFound):
		return outcomeNotFound
	case errors.Is(err, session.ErrExists):
		return outcomeExists
	case errors.Is(err, session.ErrConflict):
		return outcomeConflict
	case errors.Is(err, session.ErrTooLarge):
		return outcomeTooLarge
	case errors.Is(err, context.Canceled):
		return outcomeAbandoned
	default:
		return outcomeFailed
	}
}

// measured is a store that tells how long its operations take.
type measured struct {
	store    session.Store
	duration prometheus.ObserverVec // by operation and outcome
	asked    atomic.Uint64
}

var (
	_ session.Store        = (*measured)(nil)
	_ session.Availability = (*measured)(nil)
	_ session.ValueLimit   = (*measured)(nil)
)

func (m *measured) observe(operation string, began time.Time, err error) {
	m.duration.WithLabelValues(operation, outcomeOf(err)).Observe(time.Since(began).Seconds())
}

// gets returns how often Get was called: what a forged token leaves as it was.
func (m *measured) gets(context.Context) (uint64, error) {
	return m.asked.Load(), nil
}

func (m *measured) Get(ctx context.Context, key string) (value []byte, version uint64, err error) {
	m.asked.Add(1)
	began := time.Now()
	value, version, err = m.store.Get(ctx, key)
	m.observe("get", began, err)
	return value, version, err
}

func (m *measured) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	began := time.Now()
	err := m.store.Create(ctx, key, value, ttl)
	m.observe("create", began, err)
	return err
}

func (m *measured) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	began := time.Now()
	err := m.store.Update(ctx, key, value, version, ttl)
	m.observe("update", began, err)
	return err
}

func (m *measured) Delete(ctx context.Context, key string) error {
	began := time.Now()
	err := m.store.Delete(ctx, key)
	m.observe("delete", began, err)
	return err
}

// Available is optional. A store without it takes every key.
func (m *measured) Available(key string) bool {
	store, ok := m.store.(session.Availability)
	return !ok || store.Available(key)
}

// MaxValueBytes is optional. A store without it tells when it is too late.
func (m *measured) MaxValueBytes(key string) int {
	if store, ok := m.store.(session.ValueLimit); ok {
		return store.MaxValueBytes(key)
	}
	return math.MaxInt
}
