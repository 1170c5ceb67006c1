using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ulmfit.Cli.Terminal;

/// <summary>
/// The picture of a progress: for each training its stage, a bar of its steps and its loss, and under them a bar of the whole with
/// the time that is left. No line is longer than the terminal is wide.
/// </summary>
internal sealed class ProgressView : Renderable
{
    private const int LongestBar = 40;
    private const int LongestCurve = 24;

    private static readonly Style Strong = new(decoration: Decoration.Bold);
    private static readonly Style Faint = new(Color.Grey);
    private static readonly Style Full = new(Color.Green);
    private static readonly Style Curve = new(Color.Aqua);
    private static readonly Style Warning = new(Color.Yellow);

    private readonly Dictionary<string, (string Phase, LossTrace Trace)> curves = new(StringComparer.Ordinal);
    private WorkProgress? shown;

    /// <summary>Takes the newest progress.</summary>
    public void Update(WorkProgress progress)
    {
        shown = progress;
        foreach (Lane lane in progress.Lanes)
        {
            if (!curves.TryGetValue(lane.Name, out (string Phase, LossTrace Trace) curve) || curve.Phase != lane.Phase)
            {
                curves[lane.Name] = curve = (lane.Phase, new LossTrace());
            }

            curve.Trace.Add(lane.Loss);
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        if (shown is null)
        {
            // A region of no line at all has no place that it could be drawn over again.
            yield return new Segment("…", Faint);
            yield break;
        }

        foreach (IEnumerable<(string Text, Style Style)> line in Lines(shown, options.Unicode, maxWidth))
        {
            int left = maxWidth;
            foreach ((string text, Style style) in line)
            {
                string kept = text.Length <= left ? text : text[..left];
                left -= kept.Length;
                if (kept.Length > 0)
                {
                    yield return new Segment(kept, style);
                }
            }

            yield return Segment.LineBreak;
        }
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static IEnumerable<(string Text, Style Style)> Bar(double share, int width, bool unicode)
    {
        int full = (int)Math.Floor(Math.Clamp(share, 0, 1) * width);
        yield return (new string(unicode ? '█' : '#', full), Full);
        yield return (new string(unicode ? '░' : '.', width - full), Faint);
    }

    private IEnumerable<IEnumerable<(string Text, Style Style)>> Lines(WorkProgress progress, bool unicode, int width)
    {
        int bar = Math.Clamp(width / 2, 8, LongestBar), curve = Math.Clamp(width - 56, 0, LongestCurve);
        foreach (Lane lane in progress.Lanes)
        {
            yield return [(lane.Name, Strong), ("  " + lane.Place, Style.Plain)];
            yield return
            [
                ("  ", Style.Plain), .. Bar(lane.Steps > 0 ? (double)lane.Step / lane.Steps : 0, bar, unicode),
                (string.Create(CultureInfo.InvariantCulture, $"  step {lane.Step}/{lane.Steps}"), Style.Plain),
            ];
            yield return
            [
                ($"  loss {Number(lane.Loss, "F4")} ", Style.Plain),
                (curves[lane.Name].Trace.ToText(curve, unicode), Curve),
                ($"  lr {Number(lane.LearningRate, "0.0e-0")}  {Number(lane.TokensPerSecond, "N0")} tokens/s", Faint),
            ];
        }

        yield return
        [
            (progress.Name + "  ", Strong),
            .. progress.Done is double done ? [.. Bar(done, bar, unicode), ($"  {Number(100 * done, "F0")} %", Style.Plain)] : Array.Empty<(string, Style)>(),
            (progress.Left is TimeSpan left ? $"  {RemainingWork.Text(left)} left" : "", Style.Plain),
        ];
        if (progress.Obstacle is string obstacle)
        {
            yield return [(obstacle.ReplaceLineEndings(" "), Warning)];
        }
    }
}
