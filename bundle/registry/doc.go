// Package registry talks to registries, to fetch and to push: transport,
// retries, sessions, credentials and failures. Chart repositories and file
// servers are asked through it too.
//
// A [Client] is made once. It gives a [Session] for a repository of a registry
// ([Client.Session]) or for what a URL names ([Client.WebSession]), which asks
// for what lies below it:
//
//	client, err := registry.New(registry.Options{})
//	session, err := client.Session(ctx, registry.Repository{Registry: "quay.io", Name: "wire/brig"}, registry.Access{})
//	manifest, header, err := session.Read(ctx, "/manifests/5.30.9", nil, 4<<20)
//
// What a session asks and what the answers mean is for its user to know: the
// package knows HTTP, the handshake of a registry (OCI distribution-spec) and
// its tokens (distribution's token specification), and nothing of images.
//
// # What survives
//
// Each request is tried up to 6 times on connection failures, 408, 429 and
// 5xx, with exponential backoff and jitter, and not before the time that
// Retry-After names (up to 2 minutes). A host that used up all tries gets a
// single one for each further request until it answers again, so that a host
// that is down does not hold up everything else. A connection that is silent
// for a minute counts as failed, and so does one that brings less than
// Options.MinRate over a minute; such a failure counts for two. When nothing was
// finished for Options.Patience, everything ends with a [PatienceError]. A body that ends early is an error of
// [Session.Do] and [Session.Open], for whoever reads it knows where to go on;
// [Session.Read] asks anew.
//
// # Credentials
//
// Registry credentials come from Docker's and Podman's files: see
// [DefaultKeychain]. They are used for web servers of the same host too, if
// these speak HTTPS. Credentials go to the very scheme, host and port that they
// are for, and to the token server that this registry names, never along a
// redirect, and never into an error or a log: messages show no user
// information and no query of a URL ([Redact]). Where no credentials can be read,
// a helper that is not installed being the usual cause, nobody is logged in, which
// is told; it is an error only for what wants a login ([LoginError]).
//
// A token is for one repository and for what [Access] says: a session that
// fetches asks for nothing but "pull".
//
// # Plain HTTP
//
// A registry is talked to over HTTPS; over plain HTTP only if it is on the
// loopback interface or [Security] allows it. A web server whose URL says
// http:// is talked to so, but gets no credentials unless it is on loopback or
// [Security] allows it. A redirect from HTTPS to HTTP is refused.
//
// # Where answers lead
//
// A redirect, the place of a token server and what a document names ([Lead]) lead to
// no address of this machine or of its network that whoever said it is not of, and to
// no link-local one, by any name: that is seen to where the connection is made. What
// the user named is asked wherever it is: what sessions are opened for, and
// Options.Named. Where a proxy is asked, names are the proxy's to look up.
//
// # Failures
//
// An answer with another status than the wanted ones is a [StatusError]. No
// answer at all, and one that was cut short, tells nothing about the content:
// [Unavailable] finds these and the statuses of a host out of order, and another
// place may be asked. Whatever else went wrong is for a person to see.
package registry
