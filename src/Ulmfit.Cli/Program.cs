using Ulmfit.Cli;

return await ExitCodes.RunAsync(CommandTree.Create(), args);
