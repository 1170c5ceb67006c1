using System.Globalization;
using System.Text;

namespace ServingBenchmark;

/// <summary>A report as Markdown tables.</summary>
internal static class MarkdownReport
{
    /// <summary>The tables.</summary>
    public static string Of(ServingReport report)
    {
        var text = new StringBuilder();
        Line(text, $"{report.Machine.Processor}, {report.Machine.Processors} processors; host on {Cores(report.HostCores)}, clients on {Cores(report.ClientCores)}; {report.Machine.Runtime}, ONNX Runtime {report.Machine.OnnxRuntime}, {report.Machine.System}. Medians of up to {report.Runs} runs of {report.Seconds} s.");
        foreach (IGrouping<(BenchmarkModel Model, bool Training), LoadMeasure> group in report.Load.GroupBy(measure => (measure.Model, measure.Training)))
        {
            Head(text, $"{group.Key.Model}{(group.Key.Training ? ", a training beside it" : "")}", "tokens", "clients", "requests/s", "Infinity", "ratio", "p50, ms", "p95, ms", "p99, ms", "p99 / p50", "refused", "runs");
            foreach (LoadMeasure measure in group)
            {
                double? published = PublishedFigures.InfinityOf(measure.Tokens);
                Line(text, $"| {measure.Tokens} | {measure.Clients} | {measure.RequestsPerSecond:0.0} | {published:0} | {measure.RequestsPerSecond / published:0.00} | {measure.P50:0.00} | {measure.P95:0.00} | {measure.P99:0.00} | {measure.P99 / measure.P50:0.00} | {measure.Refused} | {measure.Runs} |");
            }
        }
        if (report.Overheads.Count > 0)
        {
            Head(text, "What HTTP, tokenizer and queue add to ONNX Runtime's call (one client, medians)", "model", "tokens", "request, ms", "call alone, ms", "added, ms");
            foreach (OverheadMeasure measure in report.Overheads)
            {
                Line(text, $"| {measure.Model} | {measure.Tokens} | {measure.Request:0.000} | {measure.Computation:0.000} | {measure.Added:0.000} |");
            }
        }
        if (report.ColdStarts.Count > 0)
        {
            Head(text, "From the start of the process to the first answer", "model", "ONNX file, MB", "listens after, ms", "answers after, ms", "slowest start, ms");
            foreach (ColdStartMeasure measure in report.ColdStarts)
            {
                Line(text, $"| {measure.Model} | {measure.Megabytes:0.0} | {measure.ListensAfter:0} | {measure.AnswersAfter:0} | {measure.Slowest:0} |");
            }
        }
        if (report.Bars.Count > 0)
        {
            Head(text, "What has to hold", "measured", "figure", "bar", "holds");
            foreach (Bar bar in report.Bars)
            {
                Line(text, $"| {bar.What} | {bar.Measured:0.00} | {(bar.IsMost ? "≤" : "≥")} {bar.Limit} | {(bar.Holds ? "yes" : "**no**")} |");
            }
        }
        foreach (string problem in report.Problems)
        {
            Line(text, $"\n**Worth nothing**: {problem}.");
        }
        return text.ToString();
    }

    private static void Head(StringBuilder text, string title, params string[] columns)
    {
        Line(text, $"\n### {title}\n");
        Line(text, $"| {string.Join(" | ", columns)} |");
        Line(text, $"|{string.Concat(columns.Select(_ => " --- |"))}");
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Cores(IReadOnlyList<int>? cores) => cores is null ? "all" : string.Join(',', cores);
}
