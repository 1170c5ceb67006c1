using System.Diagnostics;
using System.Text;
using EmbeddedHost.Durable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Ulmfit.Storage;

namespace KillMatrix.Agent;

/// <summary>
/// Within the host's process: writes down every durable write of the blob store and of the orchestration logs, and ends the process by
/// SIGKILL at the one it was told. The host is the one that is shipped; the agent takes its place between the host and its store by the
/// events that the framework's host builder and the log tell of.
/// </summary>
internal sealed class KillAgent : IDisposable
{
    /// <summary>Names the journal of writes.</summary>
    public const string JournalVariable = "KILLMATRIX_JOURNAL";

    /// <summary>Names the <see cref="WritePoint"/> to end at, if any.</summary>
    public const string PointVariable = "KILLMATRIX_POINT";

    /// <summary>Begins the journal's last line where the agent has ended the process.</summary>
    public const string KilledMark = "!";

    private readonly Lock gate = new();
    private readonly FileStream journal;
    private readonly WritePoint? point;
    private int seen;

    private KillAgent(string journalPath, WritePoint? point)
    {
        // Unbuffered: what is written is the kernel's, and outlives the process.
        journal = new FileStream(journalPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        this.point = point;
    }

    /// <summary>Follows this process, if the environment says so.</summary>
    public static void Install()
    {
        if (Environment.GetEnvironmentVariable(JournalVariable) is not { } path)
        {
            return;
        }
        string? point = Environment.GetEnvironmentVariable(PointVariable);
        var agent = new KillAgent(path, point is null ? null : WritePoint.Parse(point));
        DiagnosticListener.AllListeners.Subscribe(new Observer<DiagnosticListener>(agent.Follow));
    }

    /// <summary>Notes that a write begins.</summary>
    /// <param name="operation">What is written.</param>
    /// <returns>Where within it the process is to end; null where it is to go on.</returns>
    public KillMode? Begin(string operation)
    {
        string name = WritePoint.Normalize(operation);
        lock (gate)
        {
            Note(name);
            return point is not null && name == point.Operation && ++seen == point.Occurrence ? point.Mode : null;
        }
    }

    /// <summary>Ends the process as an out-of-memory killer does. Does not return.</summary>
    public void Kill()
    {
        lock (gate)
        {
            Note($"{KilledMark}{point}");
            Process.GetCurrentProcess().Kill();

            // The signal may take a moment, in which nothing more is to be written.
            Thread.Sleep(Timeout.Infinite);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => journal.Dispose();

    private void Note(string line) => journal.Write(Encoding.UTF8.GetBytes(line + "\n"));

    private void Follow(DiagnosticListener listener)
    {
        switch (listener.Name)
        {
            case "Microsoft.Extensions.Hosting":
                listener.Subscribe(new Observer<KeyValuePair<string, object?>>(happened =>
                {
                    if (happened is { Key: "HostBuilding", Value: IHostBuilder builder })
                    {
                        builder.ConfigureServices((_, services) => Wrap(services));
                    }
                }));
                break;
            case LogWrites.Listener:
                listener.Subscribe(new Observer<KeyValuePair<string, object?>>(happened => OnLog(happened.Key, (LogWrite)happened.Value!)));
                break;
        }
    }

    private void Wrap(IServiceCollection services)
    {
        ServiceDescriptor registered = services.Single(service => service.ServiceType == typeof(IBlobStore));
        services.Remove(registered);
        services.AddSingleton<IBlobStore>(new KillingStore((IBlobStore)registered.ImplementationInstance!, this));
    }

    // Writes of different logs come at once, but those that this point is about are of one log.
    private void OnLog(string what, LogWrite write)
    {
        string operation = $"{(write.Offset == 0 ? "log new" : "log")} {Path.GetFileNameWithoutExtension(write.Path)}";
        if (what == LogWrites.Begins)
        {
            switch (Begin(operation))
            {
                case KillMode.Before:
                    Kill();
                    break;
                case KillMode.Torn:
                    RandomAccess.Write(write.File, write.Frame.Span[..(write.Frame.Length / 2)], write.Offset);
                    Kill();
                    break;
            }
        }
        else if (what == LogWrites.IsOnDisk && point is { Mode: KillMode.After } && point.Operation == WritePoint.Normalize(operation) && seen == point.Occurrence)
        {
            Kill();
        }
    }

    private sealed class Observer<T>(Action<T> next) : IObserver<T>
    {
        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void OnNext(T value) => next(value);
    }
}
