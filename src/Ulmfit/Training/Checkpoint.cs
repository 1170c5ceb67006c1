using System.Globalization;
using System.Text.Json;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>What is trained next.</summary>
/// <param name="Stage">Index of the stage; the number of stages once all are done.</param>
/// <param name="Epoch">Epoch of the stage, from 0.</param>
/// <param name="Step">Step of the epoch, from 0; more only in the middle of an epoch that was cut into slices.</param>
public readonly record struct TrainingPosition(int Stage, int Epoch, int Step);

/// <summary>
/// Everything that the next step reads. It holds no clock and no path, so equal training gives equal bytes.
/// </summary>
/// <param name="Position">What is trained next.</param>
/// <param name="Finished">Whether every stage is done.</param>
/// <param name="State">Weights, running statistics, moments and carried state.</param>
public sealed record Checkpoint(TrainingPosition Position, bool Finished, StateDict State)
{
    private const string Format = "serverless-ulmfit checkpoint 1";
    private const string Curve = "epochCurve";

    /// <summary>Losses summed over the steps of a begun epoch, weighted by predictions.</summary>
    public LossSum EpochLoss { get; init; }

    /// <summary>Documents classified rightly in a begun epoch.</summary>
    public long EpochCorrect { get; init; }

    /// <summary>The curve of a begun epoch so far; empty at the start of one, and in a checkpoint of an earlier version.</summary>
    public IReadOnlyList<CurveBucket> EpochCurve { get; init; } = [];

    /// <summary>The best epoch of the phase so far; null where early stopping is not asked for.</summary>
    public BestEpoch? Best { get; init; }

    /// <summary>Measurements of the epoch that has just ended; null in the middle of one, and not part of the file.</summary>
    public EpochMetrics? LastEpoch { get; init; }

    /// <summary>Writes the checkpoint as safetensors, its position in the metadata.</summary>
    public void Write(Stream destination)
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["stage"] = Position.Stage.ToString(CultureInfo.InvariantCulture),
            ["epoch"] = Position.Epoch.ToString(CultureInfo.InvariantCulture),
            ["step"] = Position.Step.ToString(CultureInfo.InvariantCulture),
            ["finished"] = Finished ? "true" : "false",
            ["epochLossSum"] = JsonSerializer.Serialize(EpochLoss.Sum),
            ["epochLossCount"] = EpochLoss.Count.ToString(CultureInfo.InvariantCulture),
            ["epochCorrect"] = EpochCorrect.ToString(CultureInfo.InvariantCulture),
        };
        if (EpochCurve.Count > 0)
        {
            metadata[Curve] = JsonSerializer.Serialize(EpochCurve);
        }

        StateDict tensors = State;
        if (Best is not null)
        {
            metadata["bestStage"] = Best.Stage.ToString(CultureInfo.InvariantCulture);
            metadata["bestEpoch"] = Best.Epoch.ToString(CultureInfo.InvariantCulture);
            metadata["bestScore"] = JsonSerializer.Serialize(Best.Score);
            metadata["bestEpochsSince"] = Best.EpochsSince.ToString(CultureInfo.InvariantCulture);
            tensors = State.Where(_ => true);
            foreach ((string name, Tensor tensor) in Best.Weights)
            {
                tensors.Add(TrainingStateNames.Best(name), tensor);
            }
        }

        Safetensors.Write(destination, tensors, metadata);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The file is no checkpoint, or of another format.</exception>
    public static Checkpoint Read(Stream source)
    {
        SafetensorsFile file = Safetensors.Read(source);
        string Text(string key) => file.Metadata.TryGetValue(key, out string? value) ? value : throw new InvalidDataException($"The file is no checkpoint: its metadata lacks '{key}'.");
        if (Text("format") != Format)
        {
            throw new InvalidDataException($"The checkpoint has the format '{Text("format")}', but '{Format}' is read.");
        }

        try
        {
            int Number(string key) => int.Parse(Text(key), CultureInfo.InvariantCulture);
            double Real(string key) => JsonSerializer.Deserialize<double>(Text(key));
            return new Checkpoint(
                new TrainingPosition(Number("stage"), Number("epoch"), Number("step")), Text("finished") == "true", file.Tensors.Where(name => TrainingStateNames.WeightOfBest(name) is null))
            {
                EpochLoss = new LossSum(Real("epochLossSum"), long.Parse(Text("epochLossCount"), CultureInfo.InvariantCulture)),
                EpochCorrect = long.Parse(Text("epochCorrect"), CultureInfo.InvariantCulture),
                EpochCurve = file.Metadata.TryGetValue(Curve, out string? curve) ? JsonSerializer.Deserialize<CurveBucket[]>(curve) ?? [] : [],
                Best = file.Metadata.ContainsKey("bestStage")
                    ? new BestEpoch(Number("bestStage"), Number("bestEpoch"), Real("bestScore"), Number("bestEpochsSince"), BestWeights(file.Tensors))
                    : null,
            };
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or JsonException)
        {
            throw new InvalidDataException("The file is no checkpoint: its metadata holds a malformed number.", exception);
        }
    }

    private static StateDict BestWeights(StateDict tensors)
    {
        var weights = new StateDict();
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (TrainingStateNames.WeightOfBest(name) is string weight)
            {
                weights.Add(weight, tensor);
            }
        }

        return weights;
    }
}
