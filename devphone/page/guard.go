package page

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Guard says who may send requests.
type Guard struct {
	// Token is needed for the page and the control API: once in the URL of the page, as ?token=, which sets a cookie; or in
	// the header X-Devphone-Token. Requests to the API need it, too, unless they have an API key. If it is "" nobody needs
	// one.
	Token string
	// Hosts are names by which the server is reached, besides localhost and any IP address. Other names are refused: a site
	// can have its own name resolve to this machine.
	Hosts []string
}

// tokenHeader is the header of programs that have no cookie.
const tokenHeader = "X-Devphone-Token"

// securityHeaders are those of each response: the page runs no code but its own, and no other site can show it.
var securityHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// SameSite lets requests through that a program or the server's own page sends, and nobody else's. It is a part of [Handler].
func (g *Guard) SameSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range securityHeaders {
			w.Header().Set(name, value)
		}
		switch {
		case !g.isHost(r.Host):
			refuse(w, "devphone is not reached by this host name; its flag -host allows more")
		case !isOwnOrigin(r):
			refuse(w, "requests of other sites are refused")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isHost reports whether a Host header is one that only this server has.
func (g *Guard) isHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	return net.ParseIP(name) != nil || name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(g.Hosts, name)
}

// isOwnOrigin reports whether no other site's page sent a request, but for a link to the page.
func isOwnOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// withToken lets requests through that have the token. The first, with the token in its URL, is redirected to the URL
// without it.
func (g *Guard) withToken(next http.Handler) http.Handler {
	if g.Token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/" && g.is(r.URL.Query().Get("token")) {
			http.SetCookie(w, &http.Cookie{ //nolint:gosec // there is no TLS
				Name: tokenCookie(r.Host), Value: g.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
			})
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		if !g.hasToken(r) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte("Open the URL that devphone has printed: it has a token.\n"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withKey lets requests to the API through that have an API key or the token: a sign-up has no key, and gives one.
func (g *Guard) withKey(srv Server, api http.Handler) http.Handler {
	if g.Token == "" {
		return api
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !g.hasToken(r) && !(strings.EqualFold(scheme, "Bearer") && srv.HasAPIKey(key)) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"detail":"devphone: this takes the API key, or the token in the header ` + tokenHeader + `"}` + "\n"))
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (g *Guard) hasToken(r *http.Request) bool {
	cookie, err := r.Cookie(tokenCookie(r.Host))
	return g.is(r.Header.Get(tokenHeader)) || err == nil && g.is(cookie.Value)
}

func (g *Guard) is(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.Token)) == 1
}

// tokenCookie is the name of the cookie, which all ports of a host share.
func tokenCookie(host string) string {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		port = "80"
	}
	return "devphone_" + port
}

func refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write([]byte(`{"error":"` + why + `"}` + "\n"))
}
