using System.Globalization;
using NCrontab;

namespace EmbeddedHost;

/// <summary>When a timer function is due: a crontab expression or a constant interval.</summary>
internal sealed class TimerSchedule
{
    private readonly CrontabSchedule? cron;
    private readonly TimeSpan interval;

    private TimerSchedule(string text, CrontabSchedule? cron, TimeSpan interval)
    {
        Text = text;
        this.cron = cron;
        this.interval = interval;
    }

    public string Text { get; }

    /// <summary>Reads a schedule.</summary>
    /// <param name="text">Six fields with seconds first, five fields, or a time span such as <c>00:05:00</c>.</param>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static TimerSchedule Parse(string text)
    {
        int fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        if (fields is 5 or 6)
        {
            CrontabSchedule? cron = CrontabSchedule.TryParse(text, new CrontabSchedule.ParseOptions { IncludingSeconds = fields == 6 });
            if (cron is not null)
            {
                return new TimerSchedule(text, cron, TimeSpan.Zero);
            }
        }
        else if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan interval) && interval > TimeSpan.Zero)
        {
            return new TimerSchedule(text, null, interval);
        }

        throw new FormatException($"The schedule '{text}' is neither a crontab expression ({{second}} {{minute}} {{hour}} {{day}} {{month}} {{day of week}}) nor a time span such as 00:05:00.");
    }

    /// <summary>The first occurrence after a time.</summary>
    /// <param name="after">A time of the wall clock.</param>
    public DateTime NextAfter(DateTime after) => cron?.GetNextOccurrence(after) ?? after + interval;

    public override string ToString() => Text;
}
