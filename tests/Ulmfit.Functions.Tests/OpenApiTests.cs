using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Functions.Http;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Pipeline.Registry;

namespace Ulmfit.Functions.Tests;

/// <summary>The committed description of the API against what the app has and answers.</summary>
public sealed partial class OpenApiTests : IDisposable
{
    private static readonly JsonElement Document = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(Repository.File("src", "Ulmfit.Functions", "openapi.json")));
    private static readonly JsonSchema Schema = new(Document);

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Operations_AreTheHttpFunctionsWithTheirKeys()
    {
        var described =
            from operation in Operations()
            select (operation.Path, operation.Method, operation.Value.GetProperty("operationId").GetString()!,
                operation.Value.TryGetProperty("security", out JsonElement security) && security.GetArrayLength() == 0 ? AuthorizationLevel.Anonymous : AuthorizationLevel.Function);
        var there =
            from function in HttpFunction.All
            where function.Path.StartsWith("/api/", StringComparison.Ordinal)
            from method in function.Methods
            select (function.Path, method, function.Name, function.Level);

        Assert.Equal(there.Order(), described.Order());
        Assert.Equal("3.1.0", Document.GetProperty("openapi").GetString());
    }

    [Fact]
    public void Operations_DescribeTheirParameters()
    {
        foreach ((string path, _, JsonElement operation) in Operations())
        {
            JsonElement[] parameters = operation.TryGetProperty("parameters", out JsonElement list) ? [.. list.EnumerateArray()] : [];
            Assert.Equal(
                Placeholder().Matches(path).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal),
                parameters.Where(parameter => parameter.GetProperty("in").GetString() == "path").Select(parameter => parameter.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
            Assert.All(parameters, parameter => Assert.NotEmpty(parameter.GetProperty("description").GetString()!));
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            Assert.Contains(Document.GetProperty("tags").EnumerateArray(), tag => tag.GetProperty("name").GetString() == operation.GetProperty("tags")[0].GetString());
        }
    }

    [Fact]
    public void Examples_FitTheirSchemas()
    {
        JsonElement[] bodies =
        [
            .. from operation in Operations()
               where operation.Value.TryGetProperty("requestBody", out _)
               from content in operation.Value.GetProperty("requestBody").GetProperty("content").EnumerateObject()
               where content.Name == "application/json"
               select content.Value,
        ];

        Assert.NotEmpty(bodies);
        Assert.All(bodies, body => Assert.Empty(Schema.Faults(body.GetProperty("schema"), body.GetProperty("example"))));
    }

    [Fact]
    public void References_AllLeadSomewhereAndNothingIsLeftUnused()
    {
        string text = Document.GetRawText();
        HashSet<string> used = [.. Reference().Matches(text).Select(match => match.Groups[1].Value)];
        IEnumerable<string> there = ((string[])["schemas", "responses"]).SelectMany(kind => Document.GetProperty("components").GetProperty(kind).EnumerateObject().Select(one => $"{kind}/{one.Name}"));

        Assert.Equal(there.Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Schemas_HaveTheMembersOfTheTypesThatAreWritten()
    {
        (string Schema, Type Type)[] written =
        [
            ("Run", typeof(RunView)), ("Dataset", typeof(DatasetView)), ("Drop", typeof(DropView)), ("Model", typeof(ModelView)), ("ModelVersion", typeof(ModelCard)),
            ("Drift", typeof(DriftView)), ("Pretraining", typeof(PretrainingView)),
        ];
        _ = JsonSerializer.Serialize(0, ApiJson.Options);
        foreach ((string name, Type type) in written)
        {
            Compare(Document.GetProperty("components").GetProperty("schemas").GetProperty(name), type, name);
        }
    }

    [Fact]
    public async Task Answers_OfARunningApp_FitTheirSchemas()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Uncertain:LogTexts", "--Uncertain:WriteSeconds", "0.2", "--Limits:ClassifyInputs", "20");
        var called = new HashSet<string>();
        async Task<JsonElement> CallAsync(string method, string path, string? body, int status, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (body is not null)
            {
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            }
            Assert.All(headers, header => Assert.True(request.Headers.TryAddWithoutValidation(header.Name, header.Value)));
            using HttpResponseMessage response = await host.Http.SendAsync(request, Ct);
            (string template, JsonElement operation) = Find(method, path);
            string answer = await response.Content.ReadAsStringAsync(Ct);
            Assert.True((int)response.StatusCode == status, $"{method} {path}: {(int)response.StatusCode} {answer}");
            if (status < 400)
            {
                called.Add($"{method} {template} {status}");
                if (body is not null && operation.GetProperty("requestBody").GetProperty("content").TryGetProperty("application/json", out JsonElement content))
                {
                    Assert.Empty(Schema.Faults(content.GetProperty("schema"), JsonSerializer.Deserialize<JsonElement>(body)));
                }
            }
            return Validate(operation, response, answer, $"{method} {path}");
        }

        await CallAsync("GET", "api/health/live", null, 200);
        await CallAsync("GET", "api/health/ready", null, 200);
        await CallAsync("GET", "api/datasets", null, 200);
        await CallAsync("GET", "api/models", null, 200);
        await CallAsync("GET", "api/runs", null, 200);
        await CallAsync("GET", "api/runs/none-1", null, 404);
        await CallAsync("GET", "api/runs/none-1/events", null, 404);
        await CallAsync("PUT", "api/datasets/tickets/settings", TinySettings.Forward, 200);
        await CallAsync("PUT", "api/datasets/tickets/settings", """{"sead": 1}""", 422);
        await CallAsync("GET", "api/datasets/tickets/settings", null, 200);
        await CallAsync("POST", "api/datasets/tickets/runs", null, 409);
        string csv = TinyData.Csv(100) + "one column too,many,here\n,praise\n";
        await CallAsync("PUT", "api/datasets/tickets/drops/a.csv", csv, 201);
        await CallAsync("PUT", "api/datasets/tickets/drops/a.csv", csv, 200);
        await CallAsync("PUT", "api/datasets/tickets/drops/a.csv", "text,label\n", 409);
        await CallAsync("PUT", "api/datasets/tickets/drops/b.jsonl", "nothing of use", 201);
        await CallAsync("GET", "api/datasets/tickets", null, 200);

        // While it is trained, again and again: what is null by turns is of every kind once.
        JsonElement run = default;
        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage found = await host.GetAsync("api/runs/tickets-1");
                if (found.StatusCode == HttpStatusCode.NotFound)
                {
                    return false;
                }
                run = await CallAsync("GET", "api/runs/tickets-1", null, 200);
                await CallAsync("GET", "api/runs", null, 200);
                return run.GetProperty("status").GetString() == "completed";
            },
            () => $"the run ends; it is {run}");
        using (EventStream events = await EventStream.OpenAsync(host.Http, "api/runs/tickets-1/events", ct: Ct))
        {
            JsonElement told = Assert.Single(await events.ReadAsync(Ct).ToListAsync(Ct)).Data;
            Assert.Empty(Schema.Faults(Document.GetProperty("components").GetProperty("schemas").GetProperty("Run"), told));
            called.Add("GET /api/runs/{id}/events 200");
        }
        await CallAsync("GET", "api/runs/tickets-1/events", null, 204, ("Last-Event-ID", run.GetProperty("revision").GetRawText()));
        await CallAsync("GET", "api/runs?dataset=tickets", null, 200);
        await CallAsync("GET", "api/runs?dataset=..", null, 422);
        await CallAsync("GET", "api/runs/tickets-1/report", null, 200);
        await CallAsync("GET", "api/runs/tickets-1/report?format=json", null, 200);
        await CallAsync("DELETE", "api/runs/tickets-1", null, 409);
        await CallAsync("GET", "api/datasets", null, 200);
        JsonElement dataset = await CallAsync("GET", "api/datasets/tickets", null, 200);
        Assert.NotEmpty(dataset.GetProperty("drops")[0].GetProperty("errors").EnumerateArray());
        await CallAsync("GET", "api/datasets/tickets/drops/a.csv", null, 200);
        await CallAsync("GET", "api/datasets/tickets/drops/b.jsonl", null, 200);
        await CallAsync("GET", "api/datasets/tickets/drops/none.csv", null, 404);

        foreach (string body in (string[])
            [
                """{"inputs": []}""", """{"inputs": "so late"}""", """{"inputs": ["so late", "", "lovely"], "parameters": {"top_k": 1, "threshold": 0.9999999, "version": 1}}""", """{"inputs": "a", "parameters": null}""",
                """{"inputs": ["SO late!!!! &amp; lovely 😀", ""], "parameters": {"explain": true}}""", """{"inputs": "so late", "parameters": {"explain": true, "top_k": 1, "threshold": 1}}""",
            ])
        {
            await CallAsync("POST", "api/models/tickets/classify", body, 200);
        }
        await CallAsync("POST", "api/models/tickets/classify", """{"inputs": 3}""", 422);
        await CallAsync("POST", "api/models/none/classify", """{"inputs": "a"}""", 404);
        await CallAsync("POST", "api/models/tickets/classify", JsonSerializer.Serialize(new { inputs = Enumerable.Repeat("a", 21) }), 413);
        await CallAsync("POST", "api/models/tickets/feedback", """{"text": "as late as ever", "label": "praise"}""", 202, ("Idempotency-Key", "one"));
        await CallAsync("POST", "api/models/tickets/feedback", """{"text": "as late as ever", "label": "praise"}""", 200, ("Idempotency-Key", "one"));
        await CallAsync("POST", "api/models/tickets/feedback", """{"rows": [{"text": "never so late", "label": "praise"}, {"text": "never", "label": "complaint"}]}""", 202);
        await CallAsync("GET", "api/datasets/tickets/uncertain?limit=5", null, 200);
        await CallAsync("GET", "api/datasets/tickets/uncertain?limit=0", null, 422);
        await CallAsync("GET", "api/models", null, 200);
        await CallAsync("GET", "api/models/tickets", null, 200);
        await CallAsync("GET", "api/models/tickets/versions/1", null, 200);
        await CallAsync("GET", "api/models/tickets/versions/9", null, 404);
        await CallAsync("GET", "api/models/tickets/versions/1/report", null, 200);
        await CallAsync("GET", "api/models/tickets/versions/1/report?format=json", null, 200);
        await CallAsync("GET", "api/models/tickets/drift", null, 200);
        await CallAsync("PUT", "api/models/tickets/champion", """{"version": 1}""", 200);
        await CallAsync("PUT", "api/models/tickets/champion", """{"version": 1}""", 412, ("If-Match", "\"other\""));

        await CallAsync("PUT", "api/datasets/tickets/settings", TinySettings.Endless, 200);
        JsonElement second = await CallAsync("POST", "api/datasets/tickets/runs", null, 202);
        await CallAsync("POST", "api/datasets/tickets/runs", null, 409);
        await CallAsync("DELETE", $"api/runs/{second.GetProperty("id").GetString()}", null, 202);

        Directory.CreateDirectory(Path.Combine(folder.Path, "unlabeled", "texts"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "unlabeled", "texts", "corpus.txt"), string.Join("\n\n", TinyData.Rows(200).Select(row => row.Text)), Ct);
        const string Order = """{"corpus": "unlabeled/texts/corpus.txt", "directions": "forward", "epochs": 1000, "size": "tiny", "batch": 4, "bptt": 9, "minimumCount": 1}""";
        await CallAsync("PUT", "api/pretrained/made", Order, 202);
        await CallAsync("PUT", "api/pretrained/made", Order, 200);
        await CallAsync("PUT", "api/pretrained/made", """{"corpus": 3}""", 422);
        JsonElement pretraining = default;
        foreach (string member in (string[])["now", "forward"])
        {
            await Wait.UntilAsync(
                async () => (pretraining = await CallAsync("GET", "api/pretrained/made", null, 200)).GetProperty(member).ValueKind == JsonValueKind.Object,
                () => $"it has '{member}'; it is {pretraining}",
                TimeSpan.FromMinutes(2));
        }
        await CallAsync("GET", "api/pretrained", null, 200);
        await CallAsync("DELETE", "api/pretrained/made", null, 202);
        await CallAsync("DELETE", "api/pretrained/none", null, 404);

        using HttpResponseMessage document = await host.GetAsync("api/openapi.json");
        string tag = document.Headers.ETag!.ToString();
        Assert.Equal(await File.ReadAllTextAsync(Repository.File("src", "Ulmfit.Functions", "openapi.json"), Ct), await document.Content.ReadAsStringAsync(Ct));
        await CallAsync("GET", "api/openapi.json", null, 200);
        await CallAsync("GET", "api/openapi.json", null, 304, ("If-None-Match", tag));

        Assert.Equal(
            from operation in Operations()
            from response in operation.Value.GetProperty("responses").EnumerateObject()
            where response.Name[0] is '2' or '3'
            let all = $"{operation.Method} {operation.Path} {response.Name}"
            orderby all
            select all,
            called.Order());
    }

    /// <summary>An answer against what the document says of its status and type.</summary>
    private static JsonElement Validate(JsonElement operation, HttpResponseMessage response, string answer, string what)
    {
        JsonElement responses = operation.GetProperty("responses");
        string status = ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(responses.TryGetProperty(status, out JsonElement described), $"{what}: the status {status} is not described.");
        described = Schema.Resolve(described);
        if (described.TryGetProperty("headers", out JsonElement headers))
        {
            Assert.All(headers.EnumerateObject(), header => Assert.True(response.Headers.Contains(header.Name), $"{what}: there is no header {header.Name}."));
        }
        if (!described.TryGetProperty("content", out JsonElement content))
        {
            Assert.Empty(answer);
            return default;
        }
        string type = response.Content.Headers.ContentType!.MediaType!;
        Assert.True(content.TryGetProperty(type, out JsonElement form), $"{what}: an answer of the type {type} is not described.");
        if (type == "text/html")
        {
            return default;
        }
        JsonElement value = JsonSerializer.Deserialize<JsonElement>(answer);
        Assert.True(Schema.Faults(form.GetProperty("schema"), value) is [], $"{what}: {string.Join('\n', Schema.Faults(form.GetProperty("schema"), value))}");
        return value;
    }

    /// <summary>Goes through a schema and what the serializer writes of a type, side by side.</summary>
    private static void Compare(JsonElement schema, Type type, string path)
    {
        schema = NotNull(schema);
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (typeof(JsonNode).IsAssignableFrom(type) || type == typeof(JsonElement))
        {
            return;
        }
        if (type.IsEnum)
        {
            Assert.Equal(
                Enum.GetValues(type).Cast<object>().Select(value => JsonSerializer.SerializeToElement(value, type, ApiJson.Options).GetString()),
                schema.GetProperty("enum").EnumerateArray().Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()));
            return;
        }
        JsonTypeInfo info = ApiJson.Options.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Enumerable:
                Compare(schema.GetProperty("items"), info.ElementType!, $"{path}[]");
                break;
            case JsonTypeInfoKind.Object:
                IEnumerable<string> written = info.Properties.Where(property => property.Get is not null).Select(property => property.Name).Order(StringComparer.Ordinal);
                Assert.True(
                    written.SequenceEqual(schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal)),
                    $"{path} has other members than the {type.Name} that is written: {string.Join(' ', written)}");
                Assert.Equal(written, schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()!).Order(StringComparer.Ordinal));
                foreach (JsonPropertyInfo property in info.Properties.Where(property => property.Get is not null))
                {
                    Compare(schema.GetProperty("properties").GetProperty(property.Name), property.PropertyType, $"{path}.{property.Name}");
                }
                break;
        }
    }

    private static JsonElement NotNull(JsonElement schema)
    {
        if (schema.TryGetProperty("anyOf", out JsonElement either))
        {
            schema = either[0];
        }
        return Schema.Resolve(schema);
    }

    private static (string Template, JsonElement Operation) Find(string method, string path)
    {
        string[] parts = $"/{path}".Split('?')[0].Split('/');
        (string template, _, JsonElement operation) = Operations().Single(operation =>
            operation.Method == method && operation.Path.Split('/') is var known && known.Length == parts.Length && known.Zip(parts).All(pair => pair.First == pair.Second || pair.First.StartsWith('{')));
        return (template, operation);
    }

    private static IEnumerable<(string Path, string Method, JsonElement Value)> Operations() =>
        from path in Document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (path.Name, operation.Name.ToUpperInvariant(), operation.Value);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex("\"#/components/([^\"]+)\"")]
    private static partial Regex Reference();
}
