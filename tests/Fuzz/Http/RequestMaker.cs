using System.Globalization;
using System.Text;
using Fuzz.Mutation;

namespace Fuzz.Http;

/// <summary>
/// Makes requests to the function app, as bytes: each route with good and hostile names, queries, headers and bodies. The first byte of an
/// input says whether the framing is right (1), so that an answer must come, or may be broken (0).
/// </summary>
internal static class RequestMaker
{
    private static readonly byte[][] Settings = Soup.Bytes(
        "{}", """{"seed": 7, "directions": "forward", "heldOutFraction": 0.2, "classifier": {"epochs": 3, "labelWeights": {"a": 2}}, "languageModel": {"epochs": 1}}""");

    private static readonly byte[][] Questions = Soup.Bytes(
        """{"inputs": "a good text", "parameters": {"top_k": 1}}""", """{"inputs": ["good", "bad", ""], "parameters": {"top_k": 2, "version": 1, "threshold": 0.5}}""", """{"inputs": []}""", """{"inputs": "x"}""",
        """{"inputs": ["A goooood text &amp; no no no 😀\u200b", ""], "parameters": {"explain": true}}""");

    private static readonly byte[][] Promotions = Soup.Bytes("""{"version": 1}""", """{"version": 2}""");

    private static readonly byte[][] Feedback = Soup.Bytes(
        """{"text": "a good text", "label": "good"}""", """{"rows": [{"text": "good", "label": "good"}, {"text": "bad", "label": "bad"}]}""", """{"rows": []}""");

    private static readonly byte[][] Orders = Soup.Bytes("""{"corpus": "unlabeled/none/a.txt", "start": "none", "directions": "forward", "epochs": 1, "size": "tiny"}""");

    private static readonly byte[][] Drops = Soup.Bytes("text,label\ngood,a\nbad,b\n", "{\"text\":\"x\",\"label\":\"y\"}\n", "x", "");

    private static readonly byte[][] Inputs = Soup.Bytes("\"tickets\"", "{}", "null", "[1,2]", "\"../../x\"", "5");

    private static readonly (string Method, string Path, byte[][]? Bodies, int Weight)[] Routes =
    [
        ("POST", "/api/models/{model}/classify", Questions, 20),
        ("PUT", "/api/datasets/{name}/settings", Settings, 16),
        ("PUT", "/api/datasets/{name}/drops/{drop}", Drops, 12),
        ("PUT", "/api/models/{model}/champion", Promotions, 8),
        ("POST", "/api/models/{model}/feedback", Feedback, 8), ("POST", "/api/models/{name}/feedback", Feedback, 2),
        ("PUT", "/api/pretrained/{name}", Orders, 6),
        ("POST", "/api/datasets/{name}/runs", Drops, 2),
        ("GET", "/api/datasets", null, 1), ("GET", "/api/datasets/{name}", null, 3), ("GET", "/api/datasets/{name}/settings", null, 2), ("GET", "/api/datasets/{name}/drops/{drop}", null, 3),
        ("GET", "/api/runs", null, 1), ("GET", "/api/runs?dataset={name}", null, 2), ("GET", "/api/runs/{run}", null, 4), ("GET", "/api/runs/{run}/report", null, 2), ("GET", "/api/runs/{run}/events", null, 2), ("DELETE", "/api/runs/{run}", null, 2),
        ("GET", "/api/models", null, 1), ("GET", "/api/models/{model}", null, 3), ("GET", "/api/models/{model}/versions/{number}", null, 4), ("GET", "/api/models/{model}/versions/{number}/report?format={name}", null, 3),
        ("GET", "/api/models/{model}/drift", null, 1), ("GET", "/api/models/{model}/drift?version={number}&days={number}", null, 3),
        ("GET", "/api/datasets/{name}/uncertain", null, 1), ("GET", "/api/datasets/{model}/uncertain?limit={number}&after={name}", null, 2), ("GET", "/metrics", null, 1),
        ("GET", "/api/pretrained", null, 1), ("GET", "/api/pretrained/{name}", null, 2), ("DELETE", "/api/pretrained/{name}", null, 1),
        ("GET", "/api/openapi.json", null, 1), ("GET", "/api/health/live", null, 1), ("GET", "/api/health/ready", null, 1), ("GET", "/api/{name}", null, 2), ("GET", "/{name}", null, 2), ("PATCH", "/api/{name}", Settings, 1), ("OPTIONS", "/api/datasets", null, 1),
        ("GET", "/runtime/webhooks/durabletask/instances/{run}", null, 2), ("POST", "/runtime/webhooks/durabletask/instances/{run}/raiseEvent/{name}", Inputs, 2),
        ("POST", "/runtime/webhooks/durabletask/instances/{run}/terminate?reason={name}", null, 1), ("GET", "/runtime/webhooks/durabletask/instances?top={number}&runtimeStatus={name}", null, 1),
    ];

    private static readonly string[] Names =
        ["tickets", "fuzz", "none", "a", "..", ".", "%2e%2e", "..%2f..%2fx", "%00", "a%00", "con", "nul", "A", "a_b", "-", "a/b", "%ff", "%C3%A9", "%F0%9F%98%80", "a%0a", "%5c..%5c", "a?b=c", "a;b", "*", "~", "%25", "%", "%zz", new string('a', 64), new string('a', 5000), "", " "];

    private static readonly string[] DropNames =
        ["a.csv", "b.jsonl", "c.tsv.gz", "d.csv.gz", "a.txt", ".csv", "nul.csv", "..%2f..%2fx.csv", "%2e%2e", "a%00.csv", "A.CSV", "a b.csv", "a.csv%0a", new string('x', 125) + ".csv", new string('x', 126) + ".csv", "con.tsv"];

    private static readonly string[] Runs = ["tickets-1", "fuzz-1", "none-1", "tickets-0", "tickets-01", "tickets-1%00", "tickets-99999999999", "-1", "a-b-c", "..%2f-1", "retrain-tickets", "@x", "%23", "tickets-%D9%A1"];

    private static readonly string[] Numbers = ["1", "2", "0", "-1", "01", "1.0", "1e0", "2147483648", "99999999999999999999", "+1", "1%00", "%D9%A1", "x", ""];

    private static readonly string[] Headers =
    [
        "If-Match: *", "If-Match: \"x\"", "If-Match: W/\"x\"", "If-Match: \"", "If-Match: ,,,", "If-None-Match: *", "Accept: application/json", "Accept: text/html;q=0.1, */*;q=2", "Accept: ;;;", "Accept: " + new string('a', 4000),
        "Content-Type: application/json", "Content-Type: text/plain; charset=utf-16", "Content-Type: ;", "Content-Encoding: gzip", "x-functions-key: wrong", "Origin: http://evil.example", "Origin: null", "Expect: 100-continue",
        "Authorization: Bearer x", "Cookie: a=b; ;", "X-Forwarded-For: 1.2.3.4", "X-HTTP-Method-Override: DELETE", "Last-Event-ID: x", "Range: bytes=0-", "Idempotency-Key: a", "Idempotency-Key: ", "Idempotency-Key: " + new string('k', 300), "x-ms-continuation-token: zzz", "traceparent: 00-x-x-00", "Accept-Language: \u00e9",
    ];

    private static readonly byte[][] Breaks = Soup.Bytes("\r\n", "\r\n\r\n", "\0", " ", "\t", ":", "HTTP/1.1", "HTTP/9.9", "Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked, gzip\r\n", "ffffffffffffffff\r\n", "0\r\n\r\n", "Host: a\r\n", "\n");

    /// <summary>A request.</summary>
    public static byte[] Make(FuzzRandom random)
    {
        (string method, string path, byte[][]? bodies, _) = Pick(random);
        string target = Filled(random, path);
        var head = new StringBuilder();
        byte[] body = bodies is null ? [] : BodyOf(random, bodies);
        head.Append(CultureInfo.InvariantCulture, $"{(random.OneIn(60) ? random.Of<string>(["HEAD", "TRACE", "CONNECT", "put", "X"]) : method)} {target.Replace(" ", "%20", StringComparison.Ordinal)} HTTP/1.1\r\n");
        head.Append(random.OneIn(60) ? "Host: evil.example\r\n" : "Host: localhost\r\n");
        for (int count = random.Below(3); count > 0; count--)
        {
            head.Append(random.Of<string>(Headers)).Append("\r\n");
        }

        bool broken = random.OneIn(16) || head[0] == 'C';
        if (bodies is not null && random.OneIn(10))
        {
            head.Append("Transfer-Encoding: chunked\r\n\r\n");
            int cut = random.Below(body.Length + 1);
            body = [.. Chunk(body[..cut]), .. Chunk(body[cut..]), .. "0\r\n\r\n"u8];
        }
        else
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n");
        }

        byte[] request = [.. Encoding.Latin1.GetBytes(head.ToString()), .. body];
        return [(byte)(broken ? 0 : 1), .. broken ? ByteMutator.Mutate(random, request, [], Breaks) : request];
    }

    private static byte[] BodyOf(FuzzRandom random, byte[][] bodies)
    {
        if (random.OneIn(200))
        {
            return Encoding.UTF8.GetBytes($"{{\"inputs\": \"{new string('a', 1 + random.Below(3 << 20))}\"}}");
        }

        return bodies == Drops
            ? ByteMutator.Mutate(random, random.Of<byte[]>(bodies), bodies, [])
            : random.OneIn(8) ? random.Of<byte[]>(bodies) : JsonMutator.Mutate(random, random.Of<byte[]>(bodies), bodies);
    }

    private static byte[] Chunk(byte[] part) =>
        part.Length == 0 ? [] : [.. Encoding.ASCII.GetBytes(part.Length.ToString("x", CultureInfo.InvariantCulture)), .. "\r\n"u8, .. part, .. "\r\n"u8];

    private static string Filled(FuzzRandom random, string path) => path
        .Replace("{model}", random.OneIn(3) ? random.Of<string>(Names) : "tickets", StringComparison.Ordinal)
        .Replace("{name}", random.OneIn(2) ? random.Of<string>(Names) : "fuzz", StringComparison.Ordinal)
        .Replace("{drop}", random.Of<string>(DropNames), StringComparison.Ordinal)
        .Replace("{run}", random.Of<string>(Runs), StringComparison.Ordinal)
        .Replace("{number}", random.Of<string>(Numbers), StringComparison.Ordinal);

    private static (string Method, string Path, byte[][]? Bodies, int Weight) Pick(FuzzRandom random)
    {
        int at = random.Below(Routes.Sum(route => route.Weight));
        int i = 0;
        while (at >= Routes[i].Weight)
        {
            at -= Routes[i++].Weight;
        }

        return Routes[i];
    }
}
