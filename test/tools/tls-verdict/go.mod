// A client with Go's TLS library, which uses no other module. Build it with `npm run tools`.
module podwire/test/tools/tls-verdict

go 1.26.0
