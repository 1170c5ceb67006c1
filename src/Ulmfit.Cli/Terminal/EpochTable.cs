using System.Globalization;
using Spectre.Console;
using Ulmfit.Training;

namespace Ulmfit.Cli.Terminal;

/// <summary>
/// The table of epochs, a row as each ends. On a terminal it has columns, and the least held-out loss of a phase so far stands out;
/// elsewhere each row is a line that explains itself, which scripts may read.
/// </summary>
/// <param name="screen">Where it goes.</param>
internal sealed class EpochTable(Screen screen)
{
    private const int WithLearningRate = 92;

    private static readonly Style Heading = new(decoration: Decoration.Bold);
    private static readonly Style Best = new(Color.Green);

    private readonly Dictionary<(Direction Direction, StageKind Kind), double> best = [];
    private bool headed;

    /// <summary>Adds an epoch.</summary>
    public void Add(Direction direction, EpochMetrics epoch)
    {
        if (!screen.IsTerminal)
        {
            screen.Line(Reports.Line(direction, epoch));
            return;
        }

        bool wide = screen.Width >= WithLearningRate;
        if (!headed)
        {
            headed = true;
            screen.Line(Row(wide, "direction", "stage", "epoch", "lr", "train loss", "held-out", "score", "time"), Heading);
        }

        string score = epoch.Kind == StageKind.LanguageModel
            ? $"perplexity {Number(epoch.Perplexity, "F1")}"
            : $"accuracy {Number(100 * epoch.Accuracy, "F1")} %" + (epoch.MacroF1 is double f1 ? $", F1 {Number(f1, "F3")}" : "");
        screen.Line(
            Row(
                wide, direction.Name(), epoch.Stage, string.Create(CultureInfo.InvariantCulture, $"{epoch.Epoch}/{epoch.Epochs}"), Number(epoch.LearningRate, "0.0e-0"),
                Number(epoch.TrainLoss, "F4"), Number(epoch.HeldOutLoss, "F4"), score, RemainingWork.Text(TimeSpan.FromSeconds(epoch.Seconds))),
            IsBest(direction, epoch) ? Best : Style.Plain);
        if (epoch.Restored is RestoredEpoch restored)
        {
            screen.Line(string.Create(CultureInfo.InvariantCulture, $"  no longer better: goes on from {restored.Stage} {restored.Epoch}"));
        }
    }

    private static string Row(bool wide, string direction, string stage, string epoch, string rate, string train, string heldOut, string score, string time) =>
        $"{direction,-9}  {stage,-12}  {epoch,7}{(wide ? $"  {rate,7}" : "")}  {train,10}  {heldOut,8}  {score,-26}  {time,6}".TrimEnd();

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";

    private bool IsBest(Direction direction, EpochMetrics epoch)
    {
        if (epoch.HeldOutLoss is not double loss || (best.TryGetValue((direction, epoch.Kind), out double least) && loss >= least))
        {
            return false;
        }

        best[(direction, epoch.Kind)] = loss;
        return true;
    }
}
