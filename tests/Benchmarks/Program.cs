using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Benchmarks;

// In this process: the default toolchain builds a project of its own beside the artifacts, whose folder carries the
// build's flavour here, and would not find it.
Job inProcess = Job.Default.WithToolchain(InProcessEmitToolchain.DontLogOutput);
IConfig config = ManualConfig.CreateEmpty()
    .AddLogger(ConsoleLogger.Default)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddColumn(new SpeedColumn())
    .AddExporter(MarkdownExporter.GitHub)
    .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(60))
    .WithOptions(ConfigOptions.DisableLogFile);

// A job named on the command line (--job short) comes with the default toolchain: its characteristics are kept, the toolchain is not.
string[] rest = JobArguments.Take(args, out Job? named);
BenchmarkSwitcher.FromAssembly(typeof(SpeedColumn).Assembly).Run(rest, config.AddJob((named ?? inProcess).WithToolchain(InProcessEmitToolchain.DontLogOutput)));
