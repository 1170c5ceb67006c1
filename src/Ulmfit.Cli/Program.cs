using System.CommandLine;
using Ulmfit.Cli;
using Ulmfit.Cli.Bench;
using Ulmfit.Cli.Pretrain;

var root = new RootCommand("ULMFiT text classifiers from a terminal: train, evaluate, classify, pretrain, measure.")
{
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    ClassifyCommand.Create(),
    PretrainCommand.Create(),
    BenchCommand.Create(),
};

return await ExitCodes.RunAsync(root, args);
