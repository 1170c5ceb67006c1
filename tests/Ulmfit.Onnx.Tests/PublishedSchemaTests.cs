using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Ulmfit.Onnx.Tests;

/// <summary>The written file against npm's onnx-proto itself, the code that the C# types were derived from.</summary>
public sealed class PublishedSchemaTests
{
    private const string Script = """
        const fs = require('fs');
        const { onnx } = require(process.argv[1]);
        const file = fs.readFileSync(0);
        const model = onnx.ModelProto.decode(file);
        const error = onnx.ModelProto.verify(model);
        if (error) throw new Error(error);
        const again = Buffer.from(onnx.ModelProto.encode(model).finish());
        console.log(`${model.graph.node.length} nodes, ${Buffer.compare(file, again) === 0 ? 'same bytes' : 'other bytes'}`);
        """;

    [Fact]
    public async Task Write_BothDirections_IsReadAndWrittenAgainToTheSameBytes()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), TestModel.Direction(TestModel.Config(), 2));
        var start = new ProcessStartInfo("node", ["-e", Script, Path.Combine(RepositoryRoot(), "node_modules", "onnx-proto")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process node = Process.Start(start)!;
        Task<string> output = node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.StandardInput.BaseStream.WriteAsync(model, TestContext.Current.CancellationToken);
        node.StandardInput.Close();
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(node.ExitCode == 0, await error);
        int nodes = Schema.ModelProto.Parser.ParseFrom(model).Graph.Node.Count;
        Assert.Equal($"{nodes} nodes, same bytes", (await output).Trim());
    }

    /// <summary>The folder of Serverless.sln above the built tests or, where those are built elsewhere, above this source file.</summary>
    private static string RepositoryRoot([CallerFilePath] string source = "")
    {
        foreach (string start in new[] { AppContext.BaseDirectory, source })
        {
            for (string? folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Serverless.sln")))
                {
                    return folder;
                }
            }
        }

        throw new InvalidOperationException($"No Serverless.sln above {AppContext.BaseDirectory} or {source}.");
    }
}
