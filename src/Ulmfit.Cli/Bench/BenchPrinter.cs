using System.Globalization;
using Spectre.Console;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Bench;

/// <summary>What a person sees of measurements.</summary>
/// <param name="screen">Where.</param>
internal sealed class BenchPrinter(Screen screen)
{
    public void Print(StepReport report, bool parts)
    {
        string shape = report.Bptt is int bptt ? $"{report.Batch} lanes × {bptt} tokens" : $"{report.Batch} documents × {report.Length} tokens";
        Line($"{(report.Task == "lm" ? "language-model" : "classifier")} step, {report.Size}: vocabulary {report.Vocabulary}, embedding {report.Embedding}, hidden {report.Hidden}, {report.Layers} layers, {shape}; {report.Threads} {(report.Threads == 1 ? "thread" : "threads")}, {report.InstructionSet}");
        Line($"  {report.TokensPerSecond:N0} tokens/s (best {report.BestTokensPerSecond:N0}), {report.MedianStepSeconds * 1e3:N1} ms a step, median of {report.Steps}");
        PrintPeak(report.GflopPerSecond, new MeasuredPeak(report.PeakGflopPerSecond, report.CachePeakGflopPerSecond));
        Line($"  peak memory {report.PeakMemoryBytes / 1e6:N0} MB");
        Line($"  weights {report.WeightsDigest}");
        PrintParts(parts ? report.Parts : []);
    }

    public void Print(SustainedReport report, bool parts)
    {
        Line($"{report.Task} on {report.Data}: {report.Tokens:N0} tokens in {report.Steps:N0} steps and {report.TrainingSeconds:N1} s; {report.Threads} {(report.Threads == 1 ? "thread" : "threads")}, {report.InstructionSet}");
        Line($"  {report.TokensPerSecond:N0} tokens/s, {report.ShareOfShortStep:P1} of a short step's {report.ShortStep.TokensPerSecond:N0}; {report.StepSeconds / report.TrainingSeconds:P1} of the time in steps");
        Line($"  {report.TokensPerSecondWithLoading:N0} tokens/s with the {report.LoadingSeconds:N1} s of loading");
        PrintPeak(report.GflopPerSecond, new MeasuredPeak(report.PeakGflopPerSecond, report.CachePeakGflopPerSecond));
        Line($"  peak memory {report.PeakMemoryBytes / 1e6:N0} MB");
        PrintParts(parts ? report.Parts : []);
    }

    public void Print(GemmReport report)
    {
        Line($"products of a {report.Size} step; {report.Threads} {(report.Threads == 1 ? "thread" : "threads")}, {report.InstructionSet}, peak {report.PeakGflopPerSecond:N1} GFLOP/s in registers, {report.CachePeakGflopPerSecond:N1} from the cache");
        Table table = TableOf("product", "shape", "GFLOP/s", "best", "of registers' peak", "of cache's");
        foreach (ProductReport product in report.Products)
        {
            table.AddRow(product.Name, Text($"{product.Rows} × {product.Columns} × {product.Depth}"), Text($"{product.GflopPerSecond:F1}"), Text($"{product.BestGflopPerSecond:F1}"), Text($"{product.ShareOfPeak:P1}"), Text($"{product.ShareOfCachePeak:P1}"));
        }

        screen.Write(table);
    }

    public void Print(TokenizerReport report)
    {
        Line($"tokenizer on one core, {report.Source}: {report.Texts:N0} texts, {report.Bytes / 1e6:N1} MB, {report.TokenCount:N0} tokens; {report.Passes} passes after the first");
        Table table = TableOf("MB/s", "first", "median", "best");
        foreach ((string name, TokenizerSpeed speed) in ((string, TokenizerSpeed)[])[("to tokens", report.Tokens), ("to ids", report.Ids)])
        {
            table.AddRow(name, Text($"{speed.FirstMegabytesPerSecond:F1}"), Text($"{speed.MegabytesPerSecond:F1}"), Text($"{speed.BestMegabytesPerSecond:F1}"));
        }

        screen.Write(table);
    }

    private void PrintPeak(double speed, MeasuredPeak peak) =>
        Line($"  {speed:N1} GFLOP/s, {speed / peak.Registers:P1} of the machine's {peak.Registers:N1} with operands in registers, {speed / peak.Cache:P1} of its {peak.Cache:N1} from the cache");

    private void PrintParts(IReadOnlyList<PartReport> parts)
    {
        if (parts.Count == 0)
        {
            return;
        }

        Table table = TableOf("part", "ms a step", "share", "GFLOP/s", "of registers' peak", "of cache's");
        foreach (PartReport part in parts)
        {
            table.AddRow(
                part.Part, Text($"{part.SecondsPerStep * 1e3:F2}"), Text($"{part.ShareOfStep:P1}"), part.GflopPerSecond is double speed ? Text($"{speed:F1}") : "–",
                part.ShareOfPeak is double share ? Text($"{share:P1}") : "–", part.ShareOfCachePeak is double cacheShare ? Text($"{cacheShare:P1}") : "–");
        }

        screen.Write(table);
    }

    private static Table TableOf(string first, params ReadOnlySpan<string> others)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn(first).NoWrap());
        foreach (string heading in others)
        {
            table.AddColumn(new TableColumn(heading).RightAligned());
        }

        return table;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Line(FormattableString text) => screen.Line(Text(text));
}
