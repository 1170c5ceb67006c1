using System.CommandLine;
using Ulmfit.Reliability.Histories;
using Ulmfit.Reliability.Load;

var root = new RootCommand("Long checks of what the product promises, against the real host in a process of its own.")
{
    LoadCommand.Create(),
    RecordCommand.Create(),
};

return await root.Parse(args).InvokeAsync();
