using System.CommandLine;
using V2XSim.Evaluation;

namespace V2XSim.Cli;

/// <summary><c>score</c>: scores tracks against the truth.</summary>
internal sealed class ScoreCommand : Verb
{
    private readonly Option<string> _truth = new("--truth") { Description = "True positions: CSV with t,id,x,y,vx,vy; plain or gzip.", HelpName = "FILE", Required = true };
    private readonly Option<string> _tracks = new("--tracks") { Description = "Tracks to score: CSV with t,id,x,y,vx,vy and optionally pxx,pxy,pyy.", HelpName = "FILE", Required = true };
    private readonly Option<double?> _from = new Option<double?>("--from") { Description = "First time scored (default: first time of the tracks).", HelpName = "SECONDS" }.Between(-1e9, 1e9);
    private readonly Option<double?> _to = new Option<double?>("--to") { Description = "Last time scored (default: last time of the tracks).", HelpName = "SECONDS" }.Between(-1e9, 1e9);
    private readonly Option<double?> _period = new Option<double?>("--publish-period") { Description = "Publication interval (default: the most frequent interval of the tracks).", HelpName = "SECONDS" }.Between(0.001, 3600);
    private readonly Option<double?> _offset = new Option<double?>("--publish-offset") { Description = "Time of any one publication (default: first time of the tracks).", HelpName = "SECONDS" }.Between(-1e6, 1e6);

    public ScoreCommand(VerbContext context)
        : base(context, "score", "Score tracks against the truth: GOSPA and OSPA (c = 5 m, p = 2), HOTA, MOTA and IDF1 (similarity 1 - d / 4 m), errors, consistency. The truth must contain the publication times.")
    {
        Declare(_truth, _tracks, _from, _to, _period, _offset);
        SetAction(Run);
    }

    private int Run(ParseResult parsed) => new OfflineTracking(Output).Score(
        parsed.GetValue(_truth)!, parsed.GetValue(_tracks)!, parsed.GetValue(_from), parsed.GetValue(_to), parsed.GetValue(_period), parsed.GetValue(_offset), IsJson(parsed));
}
