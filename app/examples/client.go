// SPDX-License-Identifier: Apache-2.0
//
// client.go - Siltstone with Go's own net/http, and nothing else: a value put, got, changed only if nobody else did; a counter; a list in pages
// and as a stream; a batch; a watch. What is refused comes as application/problem+json and is returned as *Problem. Uses keys that
// begin with example/go/.
//
//	go run client.go [URL]
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Problem is the server saying no. Its type ends in a word, e.g. condition-failed; its id stands in the server's log too.
type Problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	ID      string `json:"id"`
	Key     string `json:"key"`
	Version int64  `json:"version"`
	Outcome string `json:"outcome"`
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%d %s: %s (%s, id %s)", p.Status, p.Title, p.Detail, p.Type, p.ID)
}

// refused says whether an error is the server's, with this status.
func refused(err error, status int) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == status
}

// ErrUnknown: no whole answer came to a write. It was done, or it was not; a condition makes trying again safe.
var ErrUnknown = errors.New("it is not known whether this was done")

// Item is an entry of a list or of a stream; the last line of a stream has End or Error instead.
type Item struct {
	Key     string   `json:"key"`
	Value   string   `json:"value"`
	Version int64    `json:"version"`
	Error   *Problem `json:"error"`
	End     bool     `json:"end"`
}

// Change is a write, as the feed tells it.
type Change struct {
	Key     string `json:"key"`
	Version int64  `json:"version"`
	Op      string `json:"op"`
	Value   string `json:"value"`
}

type object map[string]any

// Store is a server; any goroutine may use it.
type Store struct {
	URL    string
	Client http.Client
}

// ask returns the answer, its body unread and to be closed; an error is a *Problem where the server said no.
func (s *Store) ask(method, path string, query url.Values, body []byte, headers map[string]string) (*http.Response, error) {
	target := s.URL + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	for attempt := 0; ; attempt++ {
		request, err := http.NewRequest(method, target, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		answer, err := s.Client.Do(request)
		if err != nil {
			if method != http.MethodGet {
				return nil, fmt.Errorf("%w: %v", ErrUnknown, err)
			}
			if attempt == 4 {
				return nil, err
			}
			continue
		}
		if answer.StatusCode < 400 {
			return answer, nil
		}
		problem := &Problem{}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if json.Unmarshal(text, problem) != nil {
			problem.Title = string(text)
		}
		problem.Status = answer.StatusCode
		if problem.Outcome == "unknown" && method != http.MethodGet {
			return nil, fmt.Errorf("%w: %v", ErrUnknown, problem)
		}
		// 429 and 503: refused before anything was done; later, when the server says so
		later, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		if problem.Status != 429 && problem.Status != 503 || later > 10 || attempt == 4 {
			return nil, problem
		}
		time.Sleep(time.Duration(later) * time.Second)
	}
}

// read asks and decodes the JSON of the answer into out; nil is for no JSON.
func (s *Store) read(method, path string, query url.Values, body []byte, out any) (http.Header, error) {
	headers := map[string]string{}
	if body != nil {
		headers["Content-Type"] = "application/json"
	}
	answer, err := s.ask(method, path, query, body, headers)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if out != nil {
		err = json.NewDecoder(answer.Body).Decode(out)
	}
	return answer.Header, err
}

// at is the path of a key: slashes stay as they are; a key with a dot segment or a NUL travels as ?key=.
func at(key string) string {
	parts := strings.Split(key, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/v1/kv/" + strings.Join(parts, "/")
}

// Put writes value, with an etag only over what has it ("*": over anything), and returns the new one.
func (s *Store) Put(key string, value []byte, etag string) (string, error) {
	headers := map[string]string{"Content-Type": "application/octet-stream"}
	if etag != "" {
		headers["If-Match"] = etag
	}
	answer, err := s.ask(http.MethodPut, at(key), nil, value, headers)
	if err != nil {
		return "", err
	}
	answer.Body.Close()
	return answer.Header.Get("ETag"), nil
}

// Get returns the value and its etag; a *Problem of status 404 where there is none.
func (s *Store) Get(key string) ([]byte, string, error) {
	answer, err := s.ask(http.MethodGet, at(key), nil, nil, nil)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	value, err := io.ReadAll(answer.Body)
	return value, answer.Header.Get("ETag"), err
}

// Change writes change(value) over value; again from the start where somebody was faster.
func (s *Store) Change(key string, change func([]byte) []byte) error {
	for {
		value, etag, err := s.Get(key)
		if err != nil {
			return err
		}
		if _, err = s.Put(key, change(value), etag); !refused(err, 412) {
			return err
		}
	}
}

// Increment adds to a counter, and returns what it is then.
func (s *Store) Increment(key string, by int64) (int64, error) {
	var counter struct{ Value int64 }
	_, err := s.read(http.MethodPost, at(key), url.Values{"op": {"incr"}, "by": {strconv.FormatInt(by, 10)}}, nil, &counter)
	return counter.Value, err
}

// Items calls fn for the entries of a range, page by page.
func (s *Store) Items(bounds url.Values, fn func(Item) error) error {
	for {
		var page struct {
			Items  []Item
			Cursor string
		}
		if _, err := s.read(http.MethodGet, "/v1/kv", bounds, nil, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := fn(item); err != nil {
				return err
			}
		}
		if page.Cursor == "" {
			return nil
		}
		bounds.Set("cursor", page.Cursor)
	}
}

// Stream is the same of one moment and of any size, as the lines come.
func (s *Store) Stream(bounds url.Values, fn func(Item) error) error {
	answer, err := s.ask(http.MethodGet, "/v1/kv", bounds, nil, map[string]string{"Accept": "application/x-ndjson"})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("the stream was cut short: %w", err)
		}
		var item Item
		if err = json.Unmarshal(line, &item); err != nil {
			return err
		}
		if item.Error != nil {
			return item.Error
		}
		if item.End {
			return nil
		}
		if err = fn(item); err != nil {
			return err
		}
	}
}

// Batch does all of ops or nothing, if the conditions hold; the version that it wrote.
func (s *Store) Batch(conditions, ops []object) (int64, error) {
	var done struct{ Version int64 }
	body, err := json.Marshal(object{"if": conditions, "ops": ops})
	if err == nil {
		_, err = s.read(http.MethodPost, "/v1/batch", nil, body, &done)
	}
	return done.Version, err
}

// Changes are what was written after version since, and the version to go on from; it waits where there is nothing yet.
func (s *Store) Changes(since int64, prefix string, timeout int) ([]Change, int64, error) {
	var seen struct {
		Changes []Change
		Next    int64
	}
	_, err := s.read(http.MethodGet, "/v1/changes", url.Values{"since": {strconv.FormatInt(since, 10)}, "prefix": {prefix},
		"timeout": {strconv.Itoa(timeout)}}, nil, &seen)
	if refused(err, 410) {
		err = fmt.Errorf("older than the log that is kept; list the keys anew, and watch from the list's version: %w", err)
	}
	return seen.Changes, seen.Next, err
}

func must(err error) {
	if err != nil {
		log.Fatal("client.go: ", err)
	}
}

func holds(condition bool, what string) {
	if !condition {
		log.Fatal("client.go: not so: ", what)
	}
}

func main() {
	store := &Store{URL: "http://localhost:8080", Client: http.Client{Timeout: 70 * time.Second}}
	if len(os.Args) > 1 {
		store.URL = os.Args[1]
	}
	const key = "example/go/note"

	_, err := store.Put(key, []byte("first"), "")
	must(err)
	value, etag, err := store.Get(key)
	must(err)
	holds(string(value) == "first", "what was put is there")
	fmt.Println("put and got:", string(value), etag)
	_, _, err = store.Get("example/go/nothing")
	holds(refused(err, 404), "there is nothing where nothing was put")

	// change it only if it is still what was read
	_, err = store.Put(key, []byte("second"), etag)
	must(err)
	_, err = store.Put(key, []byte("third"), etag)
	var problem *Problem
	holds(errors.As(err, &problem) && problem.Status == 412, "a stale ETag is refused")
	fmt.Println("refused, for somebody was faster: it is at version", problem.Version, "now")
	must(store.Change(key, func(old []byte) []byte { return append(old, " and more"...) }))

	// a counter: exact, whoever counts beside you
	visits, err := store.Increment("example/go/visits", 2)
	must(err)
	fmt.Println("visits:", visits)

	// a list in pages, and as a stream
	for i := 0; i < 5; i++ {
		_, err = store.Put(fmt.Sprintf("example/go/list/%d", i), []byte(fmt.Sprintf("item %d", i)), "")
		must(err)
	}
	paged, streamed := 0, 0
	must(store.Items(url.Values{"prefix": {"example/go/list/"}, "limit": {"2"}}, func(Item) error { paged++; return nil }))
	must(store.Stream(url.Values{"prefix": {"example/go/list/"}}, func(Item) error { streamed++; return nil }))
	holds(paged == 5 && streamed == 5, "both lists have all entries")
	fmt.Println("listed and streamed:", paged)

	// a batch: all or nothing
	_, etag, err = store.Get(key)
	must(err)
	version, err := strconv.ParseInt(strings.Trim(etag, `"`), 10, 64)
	must(err)
	conditions := []object{{"key": key, "version": version}}
	ops := []object{
		{"put": object{"key": "example/go/copy", "value": "kept"}},
		{"get": object{"key": "example/go/visits"}},
		{"delete": object{"key": key}},
	}
	written, err := store.Batch(conditions, ops)
	must(err)
	fmt.Println("batch: version", written)
	_, err = store.Batch(conditions, ops)
	holds(errors.As(err, &problem) && problem.Status == 412, "a condition that does not hold is refused")
	fmt.Println("the same again is refused:", problem.Key, "is at version", problem.Version)

	// watch: somebody else writes
	other := make(chan error)
	go func() {
		time.Sleep(200 * time.Millisecond)
		_, err := store.Put("example/go/watched", []byte("news"), "")
		other <- err
	}()
	seen, next, err := store.Changes(written, "example/go/", 30)
	must(err)
	must(<-other)
	holds(len(seen) == 1 && seen[0].Key == "example/go/watched" && seen[0].Value == "news", "the change is seen")
	fmt.Println("changed:", seen[0].Op, seen[0].Key, "from here on since =", next)

	var gone struct{ Deleted int64 }
	_, err = store.read(http.MethodDelete, "/v1/kv", url.Values{"prefix": {"example/go/"}}, nil, &gone)
	must(err)
	fmt.Println("deleted:", gone.Deleted)
}
