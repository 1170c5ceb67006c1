using Ulmfit.Cpu;

namespace Ulmfit.Cli.Bench;

/// <summary>The matrix products of a language model's step, each by itself, named by what they are in it.</summary>
internal static class GemmBench
{
    /// <summary>Rows of logits that the decoder holds at a time, or about as many.</summary>
    private const int LogitRows = 448;

    public static GemmReport Run(BenchModel model, int threads, CancellationToken cancellationToken)
    {
        using var engine = new CpuTrainingEngine(threads);
        int embedding = model.Config.EmbeddingSize, hidden = model.Config.HiddenSize, vocabulary = model.Config.VocabularySize;
        int rows = model.Batch * model.Bptt, logitRows = Math.Min(LogitRows, rows), gates = 4 * hidden;
        (string Name, ProductShape Shape)[] shapes =
        [
            ("logits", new ProductShape(logitRows, vocabulary, embedding)),
            ("logits' input gradient", new ProductShape(logitRows, embedding, vocabulary)),
            ("decoder weight gradient", new ProductShape(vocabulary, embedding, logitRows) { LeftTransposed = true, PacksRight = true }),
            ("input projection", new ProductShape(rows, gates, hidden)),
            ("first input projection", new ProductShape(rows, gates, embedding)),
            ("input gradient", new ProductShape(rows, hidden, gates)),
            ("weight gradient", new ProductShape(gates, hidden, rows) { LeftTransposed = true, PacksRight = true }),
        ];
        var peak = MeasuredPeak.Of(threads);
        var measured = new List<(string Name, int Rows, int Columns, int Depth, ProductTime Time)>();
        foreach ((string name, ProductShape shape) in shapes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            measured.Add((name, shape.Rows, shape.Columns, shape.Depth, ProductSpeed.Measure(shape, threads)));
        }

        cancellationToken.ThrowIfCancellationRequested();
        (ProductTime forward, ProductTime backward) = ProductSpeed.MeasureRecurrence(model.Batch, hidden, Math.Max(2, model.Bptt), threads);
        measured.Add(("recurrent and gates", model.Batch, gates, hidden, forward));
        measured.Add(("recurrent backwards", model.Batch, hidden, gates, backward));
        peak = peak.OrNow(threads);
        return new GemmReport(
            "gemm", model.SizeName, engine.Threads, engine.InstructionSet, peak.Registers, peak.Cache,
            [
                .. measured.Select(one => new ProductReport(
                    one.Name, one.Rows, one.Columns, one.Depth, one.Time.GflopPerSecond, one.Time.BestGflopPerSecond, one.Time.GflopPerSecond / peak.Registers,
                    one.Time.GflopPerSecond / peak.Cache)),
            ]);
    }
}
