# SPDX-License-Identifier: Apache-2.0
"""openapi_check.py URL DATA - asks a running server for every path, method and status that its /v1/openapi.json documents, and holds
each answer to it: status, type, headers, schema. Prints `ok - ` and `not ok - ` lines. What no request below brings forth is a
failure too, but for UNREACHED. Only Python's own library."""
import glob, http.client, json, re, sys, urllib.parse

url, data = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2]
failures = 0
# Statuses that need a fault or a long wait: (path, method, status)
UNREACHED = {("/v1/admin/" + what, "post", "202") for what in ("compact", "verify", "checkpoint")}


def report(ok, name, *why):
    global failures
    print(("ok - " if ok else "not ok - ") + name)
    if not ok:
        failures += 1
        for line in why:
            print("    " + str(line)[:600])


def ask(method, path, body=None, headers=None):
    c = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    c.request(method.upper(), path, body, headers or {})
    r = c.getresponse()
    stream = (r.getheader("Content-Type") or "").startswith("text/event-stream")
    text = b"" if stream else r.read()
    first = r.read(5) if stream else b""
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, text, first


status, headers, text, _ = ask("get", "/v1/openapi.json")
doc = json.loads(text)
report(status == 200 and headers.get("content-type") == "application/json", "the document is there", status, headers)


def resolve(x):
    while "$ref" in x:
        at, rest = doc, {k: v for k, v in x.items() if k != "$ref"}
        for part in x["$ref"][2:].split("/"):
            at = at[part]
        x = dict(at, **rest)
    return x


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def wrong(value, schema, at="$"):
    """What in value is not as the schema says; None where nothing is. The part of JSON Schema that the document uses."""
    s = resolve(schema)
    known = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "oneOf", "pattern", "minimum", "maximum",
             "minLength", "maxLength", "minItems", "maxItems", "description", "default"}
    if set(s) - known:
        return "%s: the checker does not know %s" % (at, set(s) - known)
    if "oneOf" in s:
        fits = [w for w in (wrong(value, o, at) for o in s["oneOf"]) if w is None]
        return None if len(fits) == 1 else "%s: fits %d of oneOf: %r" % (at, len(fits), value)
    if "const" in s and (value != s["const"] or type(value) is not type(s["const"])):
        return "%s: %r is not %r" % (at, value, s["const"])
    if "enum" in s and value not in s["enum"]:
        return "%s: %r is none of %r" % (at, value, s["enum"])
    t = s.get("type")
    if t == "integer":
        if type(value) is not int:
            return "%s: %r is no integer" % (at, value)
        if value < s.get("minimum", value) or value > s.get("maximum", value):
            return "%s: %r is out of range" % (at, value)
    elif t and not isinstance(value, TYPES[t]):
        return "%s: %r is no %s" % (at, value, t)
    if t == "string" and "pattern" in s and not re.search(s["pattern"], value):
        return "%s: %r is not like %s" % (at, value, s["pattern"])
    if t == "array":
        for i, v in enumerate(value):
            w = wrong(v, s.get("items", {}), "%s[%d]" % (at, i))
            if w:
                return w
    if t == "object":
        for name in s.get("required", []):
            if name not in value:
                return "%s: no %s" % (at, name)
        for name, v in value.items():
            if name in s.get("properties", {}):
                w = wrong(v, s["properties"][name], "%s.%s" % (at, name))
                if w:
                    return w
            elif s.get("additionalProperties") is False:
                return "%s: %s is not documented" % (at, name)
    return None


def content_of(response, ctype):
    content = response.get("content", {})
    plain = ctype.split(";")[0]
    return content.get(plain, content.get("*/*") if plain != "application/problem+json" else None)


def body_wrong(media, ctype, text):
    plain = ctype.split(";")[0]
    if plain == "application/x-ndjson":
        for line in text.decode().splitlines():
            w = wrong(json.loads(line), media["schema"])
            if w:
                return w
        return None
    if plain in ("application/json", "application/problem+json"):
        return wrong(json.loads(text), media["schema"])
    return None


def template_of(path):
    plain = path.split("?")[0]
    if plain in doc["paths"]:
        return plain
    for t in sorted(doc["paths"], key=len, reverse=True):
        if "{" in t and plain.startswith(t.split("{")[0]):
            return t
    return None


reached = set()
OURS = ("ETag", "Silt-Version", "Silt-Expires-At", "Location", "Preference-Applied")


def expect(want, method, path, body=None, raw=False, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    name = "%s %s: %s" % (method.upper(), path if len(path) < 60 else path[:57] + "...", want)
    status, got, text, first = ask(method, path, body, headers)
    t = template_of(path)
    if status != want:
        return report(False, name, status, got, text)
    op = doc["paths"][t].get(method)
    if op is None:
        return report(False, name, "not documented: %s %s" % (method, t))
    if str(status) not in op["responses"]:
        return report(False, name, "the document has no %d for %s %s" % (status, method, t))
    reached.add((t, method, str(status)))
    response = resolve(op["responses"][str(status)])
    for h, spec in response.get("headers", {}).items():
        value = got.get(h.lower())
        spec = resolve(spec)
        if value is None:
            if spec.get("required"):
                return report(False, name, "no header %s" % h, got)
            continue
        schema = resolve(spec["schema"])
        w = wrong(int(value) if schema.get("type") == "integer" else value, schema, h)
        if w:
            return report(False, name, w)
    untold = [h for h in OURS if status < 400 and t != "/v1/openapi.json" and h.lower() in got and h not in response.get("headers", {})]
    if untold:
        return report(False, name, "not documented: the headers %s" % untold)
    if not response.get("content"):
        return report(not text, name, "a body that is not documented", text)
    if method == "head":
        return report(not text, name, "a body for HEAD")
    ctype = got.get("content-type", "")
    media = content_of(response, ctype)
    if media is None:
        return report(False, name, "the document has no content of type %s" % ctype)
    w = body_wrong(media, ctype, text)
    if w is None and ctype == "application/problem+json":
        untold = set(json.loads(text)) - set(doc["components"]["schemas"]["Problem"]["properties"])
        w = "not documented: the members %s" % untold if untold else None
    report(w is None, name, w)
    return text


def methods():
    """Each path takes the methods that are documented and no others, and says so."""
    for path, operations in doc["paths"].items():
        at = re.sub(r"\{[^}]*\}", "some", path)
        takes = {m.upper() for m in operations if m in ("get", "head", "put", "post", "delete")} | {"OPTIONS"}
        for method, status in (("options", 204), ("patch", 405)) + ((("put", 405),) if "PUT" not in takes else ()):
            got, head, text, _ = ask(method, at)
            allow = set(head.get("allow", "").split(", "))
            report(got == status and allow == takes, "%s %s: %d, and the methods that are documented" % (method.upper(), path, status), got, allow, takes)


def problems_default():
    """Refusals that stand in no list are `default`: 405, 421."""
    for method, path, status, headers in (("patch", "/get?key=a", 405, {}), ("get", "/get?key=a", 421, {"Host": "elsewhere.example"})):
        got, head, text, _ = ask(method, path, None, headers)
        w = wrong(json.loads(text), {"$ref": "#/components/schemas/Problem"})
        report(got == status and w is None, "%s %s: %d, as default" % (method.upper(), path, status), got, w)


J = {"Content_Type": "application/json"}
BIG = "x" * (17 << 20)
FORBID = {"Via": "x"}
CROSS = {"Sec_Fetch_Site": "cross-site"}

methods()

# ---- classic
for route in ("/set", "/put"):
    for m in ("post", "put"):
        expect(200, m, route, '{"key":"c","value":"1","ttl":1000}', **J)
        expect(200, m, route + "?key=c&value=2")
        expect(200, m, route, "key=c&value=3", Content_Type="application/x-www-form-urlencoded")
        expect(400, m, route, "{", **J)
        expect(403, m, route, '{"key":"c","value":"1"}', **dict(J, **CROSS))
        expect(412, m, route, '{"key":"c","value":"1"}', If_Match='"1"', **J)
        expect(413, m, route, json.dumps({"key": "c", "value": BIG}), **J)
        expect(415, m, route, "x", Content_Type="image/png")
for m in ("get", "head"):
    for route in ("/get?key=", "/get/"):
        expect(200, m, route + "c")
        expect(404, m, route + "none")
        expect(400, m, route)
        expect(412, m, route + "c", If_Match='"1"')
        expect(304, m, route + "c", If_None_Match="*")
for route in ("/del", "/delete"):
    for form in (route + "?key=", route + "/"):
        ask("put", "/v1/kv?key=d", b"\xff")
        expect(412, "delete", form + "d", If_Match='"1"')
        expect(403, "delete", form + "d", **CROSS)
        expect(200, "delete", form + "d")
        expect(404, "delete", form + "d")
        expect(400, "delete", form)

# ---- v1
for form in ("/v1/kv/", "/v1/kv?key="):
    and_ = "&" if "?" in form else "?"
    expect(201, "put", form + "v", b"0123456789", Content_Type="text/plain")
    expect(204, "put", form + "v", b"0123456789")
    expect(400, "put", form + "v" + and_ + "nonsense=1", b"x")
    expect(403, "put", form + "v", b"x", **CROSS)
    expect(412, "put", form + "v", b"x", If_None_Match="*")
    expect(413, "put", form + "v", BIG)
    expect(415, "put", form + "v", b"x", Content_Encoding="gzip")
    _, head, _, _ = ask("get", form + "v")
    for m in ("get", "head"):
        expect(200, m, form + "v")
        expect(304, m, form + "v", If_None_Match=head["etag"])
        expect(400, m, form + "v", If_Match="x")
        expect(404, m, form + "none")
        expect(412, m, form + "v", If_Match='"1"')
        expect(206, m, form + "v", Range="bytes=0-1")
        expect(416, m, form + "v", Range="bytes=100-")
    ask("put", form + "word", b"word")
    expect(200, "post", form + "n" + and_ + "op=incr&by=5")
    expect(409, "post", form + "word" + and_ + "op=incr")
    expect(400, "post", form + "n" + and_ + "op=decr")
    expect(403, "post", form + "n" + and_ + "op=incr", **CROSS)
    expect(412, "post", form + "n" + and_ + "op=incr", If_Match='"1"')
    expect(412, "delete", form + "v", If_Match='"1"')
    expect(403, "delete", form + "v", **CROSS)
    expect(400, "delete", form + "v" + and_ + "nonsense=1")
    expect(200, "delete", form + "v", Prefer="return=representation")
    ask("put", form + "v", b"x")
    expect(204, "delete", form + "v")
    expect(404, "delete", form + "v")
    ask("delete", form + "n")
ask("put", "/v1/kv?key=%FF&ttl=1000", b"\xff")
expect(200, "get", "/v1/kv?limit=1")
expect(200, "get", "/v1/kv")
expect(200, "get", "/v1/kv?keys_only=true&reverse=1")
expect(200, "get", "/v1/kv?content_type=true")
expect(200, "get", "/v1/kv?count_only=true")
expect(200, "get", "/v1/kv", Accept="application/x-ndjson")
ask("put", "/v1/kv/range/a", b"1")
expect(200, "delete", "/v1/kv?prefix=range/")
expect(400, "delete", "/v1/kv?prefix=")
expect(200, "post", "/v1/batch", json.dumps({"if": [{"key": "b0", "version": 0}], "ops": [{"put": {"key": "b", "value": "1", "ttl": 9}},
       {"put": {"key": "/w==", "key_encoding": "base64", "value": "/w==", "encoding": "base64", "content_type": "a/b"}},
       {"get": {"key": "c"}}, {"get": {"key": "none"}}, {"delete": {"key": "none"}}]}), **J)
expect(412, "post", "/v1/batch", '{"if":[{"key":"c","version":0}],"ops":[{"get":{"key":"c"}}]}', **J)
expect(400, "post", "/v1/batch", '{"ops":[]}', **J)
expect(403, "post", "/v1/batch", '{"ops":[{"delete":{"key":"c"}}]}', **dict(J, **CROSS))
expect(413, "post", "/v1/batch", json.dumps({"ops": [{"get": {"key": "c"}}] * 1001}), **J)
expect(415, "post", "/v1/batch", "x", Content_Type="image/png")
for m in ("get", "head"):
    expect(200, m, "/v1/changes?since=0")
    expect(200, m, "/v1/changes")
    expect(400, m, "/v1/changes?since=x")
    expect(410, m, "/v1/changes?since=9007199254740991")
expect(200, "get", "/v1/changes?since=0", Accept="text/event-stream")

# ---- operations
for m in ("get", "head"):
    for path in ("/healthz", "/readyz", "/metrics", "/v1/stats"):
        expect(200, m, path)
        expect(400, m, path + "?x=1")
    expect(200, m, "/v1/openapi.json")
    expect(403, m, "/v1/admin/checkpoints", **FORBID)
    expect(400, m, "/v1/admin/checkpoints?x=1")
    expect(403, m, "/v1/admin/jobs", **FORBID)
    expect(400, m, "/v1/admin/jobs?x=1")
for path in ("/v1/admin/flush", "/v1/admin/compact", "/v1/admin/verify"):
    expect(403, "post", path, **FORBID)
    expect(400, "post", path + "?x=1")
    expect(200, "post", path)
expect(400, "post", "/v1/admin/checkpoint?name=.x")
expect(403, "post", "/v1/admin/checkpoint?name=x", **FORBID)
expect(200, "post", "/v1/admin/checkpoint?name=x")
expect(409, "post", "/v1/admin/checkpoint?name=x")
jobs = json.loads(expect(200, "get", "/v1/admin/jobs") or '{"jobs":[]}')["jobs"]
expect(200, "head", "/v1/admin/jobs")
for m in ("get", "head"):
    expect(200, m, "/v1/admin/checkpoints")
    expect(200, m, "/v1/admin/jobs/" + jobs[-1]["id"])
    expect(404, m, "/v1/admin/jobs/none")
    expect(400, m, "/v1/admin/jobs/none?x=1")
    expect(403, m, "/v1/admin/jobs/none", **FORBID)
expect(403, "delete", "/v1/admin/checkpoints/x", **FORBID)
expect(400, "delete", "/v1/admin/checkpoints/.x")
expect(204, "delete", "/v1/admin/checkpoints/x")
expect(404, "delete", "/v1/admin/checkpoints/x")
problems_default()

# ---- last: damage, and the end
table = sorted(glob.glob(data + "/*.sst"))[-1]      # an older one may be about to go
with open(table, "r+b") as f:
    f.seek(20)
    byte = f.read(1)
    f.seek(20)
    f.write(bytes([byte[0] ^ 0xff]))
expect(500, "post", "/v1/admin/verify")
with open(table, "r+b") as f:
    f.seek(20)
    f.write(byte)
for m in ("get", "post"):
    expect(400, m, "/shutdown?x=1")
    expect(403, m, "/shutdown", **FORBID)
expect(200, sys.argv[3], "/shutdown")
other = "post" if sys.argv[3] == "get" else "get"

for path, operations in doc["paths"].items():
    for method, op in operations.items():
        for status in op["responses"]:
            if status == "default" or (path, method, status) in reached or (path, method, status) in UNREACHED:
                continue
            if path == "/shutdown" and method == other:
                continue
            report(False, "%s %s: %s is documented and was never met" % (method.upper(), path, status))
sys.exit(failures != 0)
