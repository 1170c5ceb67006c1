using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>A function app that tests run in a process of its own.</summary>
internal static class ChildApp
{
    /// <summary>Runs the app as a Program.cs would. With <c>--all-functions</c> it takes the functions of the whole assembly, as is the default.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);
        builder.ConfigureFunctionsWebApplication();
        if (!builder.Configuration.GetValue<bool>("all-functions"))
        {
            builder.UseFunctions(typeof(ChildFunctions));
        }

        await builder.Build().RunAsync();
        return 0;
    }

    /// <summary>Starts the app; what it prints is redirected.</summary>
    public static Process Start(params string[] args)
    {
        string executable = Environment.ProcessPath!;
        bool isDotnet = Path.GetFileNameWithoutExtension(executable) == "dotnet";
        return Process.Start(new ProcessStartInfo(executable, [.. isDotnet ? [typeof(ChildApp).Assembly.Location] : Array.Empty<string>(), "--child-app", .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>Reads an app's output until it says where it listens.</summary>
    public static async Task<(string Address, List<string> Output)> ReadyAsync(Process app)
    {
        var output = new List<string>();
        while (await app.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            output.Add(line);
            int address = line.IndexOf("http://", StringComparison.Ordinal);
            if (address >= 0 && line.Contains("Ping", StringComparison.Ordinal))
            {
                return (new Uri(line[address..]).GetLeftPart(UriPartial.Authority), output);
            }
        }

        throw new InvalidOperationException($"The app ended: {string.Join('\n', output)} {await app.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)}");
    }

    /// <summary>Reads an app's output until a line contains something.</summary>
    public static async Task<string> LineAsync(Process app, string text)
    {
        while (await app.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The app ended without a line of '{text}'.");
    }
}

/// <summary>The functions of the app.</summary>
public sealed class ChildFunctions
{
    /// <summary>Answers with the process id.</summary>
    [Function("Ping")]
    public IResult Ping([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "ping")] HttpRequest request) =>
        Results.Text(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    /// <summary>Answers when the host stops, or never.</summary>
    [Function("Listen")]
    public async Task<IResult> Listen([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "listen")] HttpRequest request, CancellationToken cancellationToken)
    {
        await request.HttpContext.Response.WriteAsync("listening\n", cancellationToken);
        await request.HttpContext.Response.Body.FlushAsync(cancellationToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        return Results.Empty;
    }
}
