using Ulmfit.Cpu;

namespace Ulmfit.Cli.Bench;

/// <summary>What a part of a step took.</summary>
/// <param name="Part">Its name.</param>
/// <param name="SecondsPerStep">Seconds of a step, on average.</param>
/// <param name="ShareOfStep">Share of the steps' time.</param>
/// <param name="GflopPerSecond">Speed of its matrix products as computed; null where it has none.</param>
/// <param name="ShareOfPeak">That speed as a share of the machine's peak.</param>
/// <param name="ShareOfCachePeak">That speed as a share of the peak with operands from the cache.</param>
internal sealed record PartReport(string Part, double SecondsPerStep, double ShareOfStep, double? GflopPerSecond, double? ShareOfPeak, double? ShareOfCachePeak)
{
    /// <summary>The parts of some steps.</summary>
    public static IReadOnlyList<PartReport> Of(StepProfile profile, int steps, double seconds, MeasuredPeak peak) =>
    [
        .. profile.Parts().Select(part => new PartReport(
            char.ToLowerInvariant(part.Part.ToString()[0]) + part.Part.ToString()[1..],
            part.Time.TotalSeconds / steps,
            part.Time.TotalSeconds / seconds,
            part.Operations > 0 ? part.GflopPerSecond : null,
            part.Operations > 0 ? part.GflopPerSecond / peak.Registers : null,
            part.Operations > 0 ? part.GflopPerSecond / peak.Cache : null)),
    ];
}

/// <summary>A training step on random tokens.</summary>
/// <param name="Task"><c>lm</c> or <c>classifier</c>.</param>
/// <param name="Size">Size that the numbers which were not given are taken from.</param>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="Embedding">Its width.</param>
/// <param name="Hidden">Width of the layers between.</param>
/// <param name="Layers">LSTM layers.</param>
/// <param name="Batch">Lanes, or documents.</param>
/// <param name="Bptt">Tokens of a lane's window; null for the classifier.</param>
/// <param name="Length">Tokens of a document; null for the language model.</param>
/// <param name="Threads">Threads.</param>
/// <param name="InstructionSet"><c>avx512</c>, <c>avx2</c>, <c>vector128</c> or <c>scalar</c>.</param>
/// <param name="Seed">Seed of weights, tokens and masks.</param>
/// <param name="Steps">Steps that were timed, after one that was not.</param>
/// <param name="TokensPerStep">Tokens of a step.</param>
/// <param name="CountedWeights">Weights that a token is multiplied with: all but the decoder's bias; of a classifier those of the LSTM layers.</param>
/// <param name="MedianStepSeconds">Seconds of the median step.</param>
/// <param name="BestStepSeconds">Seconds of the fastest step.</param>
/// <param name="TokensPerSecond">Of the median step.</param>
/// <param name="BestTokensPerSecond">Of the fastest step.</param>
/// <param name="GflopPerSecond">6 · counted weights · tokens of the median step, in 10⁹ a second.</param>
/// <param name="PeakGflopPerSecond">The machine's peak with as many threads, operands in registers alone, measured before and after: the higher.</param>
/// <param name="CachePeakGflopPerSecond">The same with operands from the first-level cache.</param>
/// <param name="ShareOfPeak">Speed as a share of the peak.</param>
/// <param name="ShareOfCachePeak">Speed as a share of the peak with operands from the cache.</param>
/// <param name="PeakMemoryBytes">Largest resident set of the process up to the last step.</param>
/// <param name="WeightsDigest">Digest of the weights after all steps: the same for every number of threads and every instruction set.</param>
/// <param name="Parts">Where the time of the timed steps went.</param>
internal sealed record StepReport(
    string Task, string Size, int Vocabulary, int Embedding, int Hidden, int Layers, int Batch, int? Bptt, int? Length, int Threads, string InstructionSet, ulong Seed,
    int Steps, long TokensPerStep, long CountedWeights, double MedianStepSeconds, double BestStepSeconds, double TokensPerSecond, double BestTokensPerSecond,
    double GflopPerSecond, double PeakGflopPerSecond, double CachePeakGflopPerSecond, double ShareOfPeak, double ShareOfCachePeak, long PeakMemoryBytes, string WeightsDigest, IReadOnlyList<PartReport> Parts);

/// <summary>A training on real text for some minutes.</summary>
/// <param name="Task"><c>lm</c> or <c>classifier</c>.</param>
/// <param name="Data">The file.</param>
/// <param name="Documents">Texts that were trained on.</param>
/// <param name="Vocabulary">Tokens of the vocabulary.</param>
/// <param name="Threads">Threads.</param>
/// <param name="InstructionSet"><c>avx512</c>, <c>avx2</c>, <c>vector128</c> or <c>scalar</c>.</param>
/// <param name="Steps">Steps trained.</param>
/// <param name="Tokens">Real tokens trained on; padding is not counted.</param>
/// <param name="LoadingSeconds">From the file to token ids.</param>
/// <param name="TrainingSeconds">All of the training: making batches, steps, scores between epochs.</param>
/// <param name="StepSeconds">Of these, within training steps.</param>
/// <param name="TokensPerSecond">Real tokens a second of the training.</param>
/// <param name="TokensPerSecondWithLoading">The same with the time of loading.</param>
/// <param name="ShareOfShortStep">That speed of the training as a share of that of a short step.</param>
/// <param name="GflopPerSecond">6 · counted weights · tokens a second, in 10⁹.</param>
/// <param name="PeakGflopPerSecond">The machine's peak with as many threads, operands in registers alone.</param>
/// <param name="CachePeakGflopPerSecond">The same with operands from the first-level cache.</param>
/// <param name="ShareOfPeak">Speed as a share of the peak.</param>
/// <param name="ShareOfCachePeak">Speed as a share of the peak with operands from the cache.</param>
/// <param name="PeakMemoryBytes">Largest resident set of the process.</param>
/// <param name="ShortStep">A step on random tokens, measured in the same process just before.</param>
/// <param name="Parts">Where the time of the steps went.</param>
internal sealed record SustainedReport(
    string Task, string Data, int Documents, int Vocabulary, int Threads, string InstructionSet, int Steps, long Tokens, double LoadingSeconds, double TrainingSeconds,
    double StepSeconds, double TokensPerSecond, double TokensPerSecondWithLoading, double ShareOfShortStep, double GflopPerSecond, double PeakGflopPerSecond,
    double CachePeakGflopPerSecond, double ShareOfPeak, double ShareOfCachePeak, long PeakMemoryBytes, StepReport ShortStep, IReadOnlyList<PartReport> Parts);

/// <summary>One product of a step, by itself.</summary>
/// <param name="Name">What it is in the step.</param>
/// <param name="Rows">Rows of the result.</param>
/// <param name="Columns">Columns of the result.</param>
/// <param name="Depth">Length of its sums.</param>
/// <param name="GflopPerSecond">Of the median repetition.</param>
/// <param name="BestGflopPerSecond">Of the fastest repetition.</param>
/// <param name="ShareOfPeak">The median's share of the machine's peak.</param>
/// <param name="ShareOfCachePeak">Its share of the peak with operands from the cache.</param>
internal sealed record ProductReport(string Name, int Rows, int Columns, int Depth, double GflopPerSecond, double BestGflopPerSecond, double ShareOfPeak, double ShareOfCachePeak);

/// <summary>The products of a step, each by itself.</summary>
/// <param name="Task"><c>gemm</c>.</param>
/// <param name="Size">Size whose products they are.</param>
/// <param name="Threads">Threads.</param>
/// <param name="InstructionSet"><c>avx512</c>, <c>avx2</c>, <c>vector128</c> or <c>scalar</c>.</param>
/// <param name="PeakGflopPerSecond">The machine's peak with as many threads, operands in registers alone, measured before and after: the higher.</param>
/// <param name="CachePeakGflopPerSecond">The same with operands from the first-level cache.</param>
/// <param name="Products">The products.</param>
internal sealed record GemmReport(
    string Task, string Size, int Threads, string InstructionSet, double PeakGflopPerSecond, double CachePeakGflopPerSecond, IReadOnlyList<ProductReport> Products);

/// <summary>Speed of one way through the tokenizer, on one core.</summary>
/// <param name="FirstMegabytesPerSecond">Of the first pass, in which code is compiled.</param>
/// <param name="MegabytesPerSecond">Of the median of the later passes; 10⁶ bytes of UTF-8.</param>
/// <param name="BestMegabytesPerSecond">Of the fastest.</param>
internal sealed record TokenizerSpeed(double FirstMegabytesPerSecond, double MegabytesPerSecond, double BestMegabytesPerSecond);

/// <summary>The tokenizer on one core.</summary>
/// <param name="Task"><c>tokenizer</c>.</param>
/// <param name="Source">The file, or <c>made text</c>.</param>
/// <param name="Texts">Number of texts.</param>
/// <param name="Bytes">Their bytes in UTF-8.</param>
/// <param name="TokenCount">Tokens of one pass.</param>
/// <param name="Passes">Passes after the first.</param>
/// <param name="MegabytesPerSecond">The median of <see cref="Tokens"/>, by the name under which all tasks have their chief number's kind.</param>
/// <param name="Tokens">From text to tokens, as before a training.</param>
/// <param name="Ids">From text to token ids, as in classifying.</param>
internal sealed record TokenizerReport(string Task, string Source, int Texts, long Bytes, long TokenCount, int Passes, double MegabytesPerSecond, TokenizerSpeed Tokens, TokenizerSpeed Ids);

/// <summary>All tasks, one after another.</summary>
internal sealed record AllReport(StepReport Lm, StepReport Classifier, GemmReport Gemm, TokenizerReport Tokenizer);
