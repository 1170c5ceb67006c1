namespace ServingBenchmark;

/// <summary>All that was measured.</summary>
internal sealed record ServingReport
{
    /// <summary>The machine.</summary>
    public required MachineDescription Machine { get; init; }

    /// <summary>The processors of the host; null for all.</summary>
    public required IReadOnlyList<int>? HostCores { get; init; }

    /// <summary>The processors of the clients; null for all.</summary>
    public required IReadOnlyList<int>? ClientCores { get; init; }

    /// <summary>How often each was measured at most; medians are told.</summary>
    public required int Runs { get; init; }

    /// <summary>Seconds of a run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Under load.</summary>
    public required IReadOnlyList<LoadMeasure> Load { get; init; }

    /// <summary>What is added to the bare computation.</summary>
    public required IReadOnlyList<OverheadMeasure> Overheads { get; init; }

    /// <summary>From the start of a process to its first answer.</summary>
    public required IReadOnlyList<ColdStartMeasure> ColdStarts { get; init; }

    /// <summary>What has to hold, and whether it does.</summary>
    public IReadOnlyList<Bar> Bars => ServingBenchmark.Bars.Of(this);

    /// <summary>What went wrong; a report with any is worth nothing.</summary>
    public IReadOnlyList<string> Problems =>
    [
        .. Load.Where(measure => measure.Problem is not null || measure.Different > 0 || measure.Requests == 0)
            .Select(measure => $"{measure.Model}, {measure.Tokens} tokens, {measure.Clients} clients: {measure.Problem ?? (measure.Different > 0 ? $"{measure.Different} answers differ from those to the same text before" : "no answer")}"),
    ];
}

/// <summary>Where it was measured.</summary>
/// <param name="Processor">The processor's name.</param>
/// <param name="Processors">How many there are.</param>
/// <param name="Runtime">The version of .NET.</param>
/// <param name="OnnxRuntime">The version of ONNX Runtime.</param>
/// <param name="System">The operating system.</param>
internal sealed record MachineDescription(string Processor, int Processors, string Runtime, string OnnxRuntime, string System);

/// <summary>A load: medians of the runs.</summary>
internal sealed record LoadMeasure
{
    /// <summary>The model.</summary>
    public required BenchmarkModel Model { get; init; }

    /// <summary>Whether a training went on beside it.</summary>
    public required bool Training { get; init; }

    /// <summary>Tokens of a text.</summary>
    public required int Tokens { get; init; }

    /// <summary>Clients that asked at once.</summary>
    public required int Clients { get; init; }

    /// <summary>How many runs there were.</summary>
    public required int Runs { get; init; }

    /// <summary>Answered requests a second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Median of their milliseconds.</summary>
    public required double P50 { get; init; }

    /// <summary>Milliseconds that 95 % did not exceed.</summary>
    public required double P95 { get; init; }

    /// <summary>Milliseconds that 99 % did not exceed.</summary>
    public required double P99 { get; init; }

    /// <summary>Answered requests of all runs.</summary>
    public required int Requests { get; init; }

    /// <summary>Requests of all runs that were turned away with 429.</summary>
    public required int Refused { get; init; }

    /// <summary>Answers of all runs that were not those to the same text before.</summary>
    public required int Different { get; init; }

    /// <summary>What failed first; null where nothing did.</summary>
    public required string? Problem { get; init; }
}

/// <summary>What HTTP, tokenizer and queue add, with one client.</summary>
/// <param name="Model">The model.</param>
/// <param name="Tokens">Tokens of a text.</param>
/// <param name="Request">Median of a request's milliseconds.</param>
/// <param name="Computation">Median of the milliseconds of ONNX Runtime's call alone.</param>
internal sealed record OverheadMeasure(BenchmarkModel Model, int Tokens, double Request, double Computation)
{
    /// <summary>The difference.</summary>
    public double Added => Request - Computation;
}

/// <summary>A cold start: medians of the starts.</summary>
/// <param name="Model">The model.</param>
/// <param name="Megabytes">10⁶ bytes of its ONNX file.</param>
/// <param name="ListensAfter">Milliseconds until the host listens.</param>
/// <param name="AnswersAfter">Milliseconds until the first answer is read whole.</param>
/// <param name="Slowest">The same of the slowest start.</param>
internal sealed record ColdStartMeasure(BenchmarkModel Model, double Megabytes, double ListensAfter, double AnswersAfter, double Slowest);
