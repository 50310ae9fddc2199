//go:build linux

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/manifests"
)

// The floors are this binary's own commands.
const (
	floorCommand = "floor"
	hashCommand  = "hash"
	floorBuffer  = 256 << 10
)

// floorMain does the least that any build has to: it reads every blob of a
// lock once from the registry, hashes it, writes it once to a place of its own
// in one file, and makes the file durable. It knows no tar, no signature, no
// retry, no progress, and no other kind of content.
func floorMain(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(floorCommand, flag.ContinueOnError)
	lockFile := flags.String("lock", "", "lock whose blobs are read")
	registry := flags.String("registry", "", "URL of the fixture's server")
	out := flags.String("out", "", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	data, err := os.ReadFile(*lockFile)
	if err != nil {
		return err
	}
	lock, err := manifests.ReadLock(*lockFile, data)
	if err != nil {
		return err
	}
	file, err := os.Create(*out)
	if err != nil {
		return err
	}
	defer file.Close()
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: connections, DisableCompression: true, ReadBufferSize: 64 << 10,
	}}
	offsets := map[manifests.Digest]int64{}
	end := int64(0)
	for _, blob := range lock.Blobs {
		offsets[blob.Digest] = end
		end += blob.Size
	}
	// As island does; it makes the floor lower.
	if err := unix.Fallocate(int(file.Fd()), 0, 0, end); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	slices.SortStableFunc(lock.Blobs, func(a, b manifests.Content) int { return cmp.Compare(b.Size, a.Size) })
	err = eachInParallel(connections, len(lock.Blobs), func(i int, buffer []byte) error {
		blob := lock.Blobs[i]
		return fetchBlob(ctx, client, *registry, blob, io.NewOffsetWriter(file, offsets[blob.Digest]), buffer)
	})
	if err != nil {
		return err
	}
	return file.Sync()
}

func fetchBlob(ctx context.Context, client *http.Client, registry string, blob manifests.Content, to io.Writer, buffer []byte) error {
	kind := "blobs"
	if manifests.IsIndex(blob.MediaType) || manifests.IsManifest(blob.MediaType) {
		kind = "manifests"
	}
	url := fmt.Sprintf("%s/v2/%s/%s/%s", registry, blob.Repository, kind, blob.Digest)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	sum := sha256.New()
	for {
		n, err := response.Body.Read(buffer)
		sum.Write(buffer[:n])
		if _, err := to.Write(buffer[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
	}
	if manifests.DigestFromSum(sum.Sum(nil)) != blob.Digest {
		return fmt.Errorf("%s: has another digest", url)
	}
	return nil
}

// hashMain hashes a file on all processors, in pieces of one size, so that no
// processor ever waits for another. That is as fast as a file can be hashed.
func hashMain(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("wants one file")
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	const piece = 8 << 20
	pieces := int((info.Size() + piece - 1) / piece)
	return eachInParallel(runtime.GOMAXPROCS(0), pieces, func(i int, buffer []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum := sha256.New()
		section := io.NewSectionReader(file, int64(i)*piece, piece)
		// Without the reader's other methods, so that the buffer is used.
		_, err := io.CopyBuffer(sum, struct{ io.Reader }{section}, buffer)
		return err
	})
}

// eachInParallel does a job for 0 … n-1 on some workers, and gives the errors.
func eachInParallel(workers, n int, job func(i int, buffer []byte) error) error {
	var next atomic.Int64
	failed := make([]error, workers)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			buffer := make([]byte, floorBuffer)
			for failed[worker] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				failed[worker] = job(i, buffer)
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}
