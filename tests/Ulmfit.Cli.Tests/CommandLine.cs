using System.Diagnostics;

namespace Ulmfit.Cli.Tests;

/// <summary>Runs the real command in a process of its own.</summary>
internal static class CommandLine
{
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    /// <summary>Runs the command with one more variable in its environment, given as <c>NAME=value</c>.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string? variable, string[] arguments)
    {
        using Process process = Start(variable, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    public static Process Start(params string[] arguments) => Start(null, arguments);

    private static Process Start(string? variable, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (variable?.Split('=') is [string name, string value])
        {
            start.Environment[name] = value;
        }

        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Ulmfit.Cli.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}

/// <summary>A folder for one test with a small data set in it.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ulmfit-cli-");

    public Workspace()
    {
        string[] fruit = ["apples", "pears", "plums", "cherries"], weather = ["rain", "snow", "wind", "fog"];
        string[] frames = ["may I have some {0}", "{0} today", "tell me more about {0}", "what of the {0} last week ?", "no more {0}, thanks"];
        string Row(int i)
        {
            string[] words = i % 2 == 0 ? fruit : weather;
            return string.Format(System.Globalization.CultureInfo.InvariantCulture, frames[i / 8 % frames.Length], words[i / 2 % words.Length]) + $" {i}";
        }

        Data = Write("train.csv", string.Join('\n', Enumerable.Range(0, 120).Select(i => $"\"{Row(i)}\",{(i % 2 == 0 ? "fruit" : "weather")}").Prepend("text,label")));
        Test = Write("test.csv", string.Join('\n', Enumerable.Range(200, 20).Select(i => $"\"{Row(i)}\",{(i % 2 == 0 ? "fruit" : "weather")}").Prepend("text,label")));
        Settings = Write("settings.json", """{"pretrained": "none", "minimumCount": 1, "heldOutFraction": 0.1, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 9}, "classifier": {"epochs": 12, "batch": 8, "learningRate": 0.01}}""");
    }

    public string Data { get; }

    public string Test { get; }

    public string Settings { get; }

    public string this[string name] => Path.Combine(folder.FullName, name);

    public string Write(string name, string content)
    {
        File.WriteAllText(this[name], content);
        return this[name];
    }

    /// <summary>Imports a tiny pretrained language model into the folder <c>pretrained</c>, and gives its path.</summary>
    public async Task<string> ImportPretrainedAsync(bool backward = false)
    {
        static string Fastai(string name) => Path.Combine(AppContext.BaseDirectory, "FastaiFiles", name);
        string[] second = backward ? ["--backward", Fastai("v2-lm-backward.pth")] : [];
        (int code, _, string error) = await CommandLine.RunAsync(["import", "--fastai", Fastai("v2-lm.pth"), "--itos", Fastai("v2-itos-protocol-4.pkl"), "--out", this["pretrained"], .. second]);
        Assert.True(code == 0, error);
        return this["pretrained"];
    }

    public void Dispose() => folder.Delete(recursive: true);
}
