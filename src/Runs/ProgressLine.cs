using System.Globalization;
using V2XSim.Foundation;

namespace V2XSim.Runs;

/// <summary>Shows the progress of a run: one line that is rewritten on a terminal, otherwise a line every ten seconds.</summary>
internal sealed class ProgressLine
{
    private readonly TextWriter _error;
    private readonly TimeProvider _clock;
    private readonly bool _quiet;
    private readonly bool _terminal;
    private long _shown;
    private bool _open;
    private int _disconnected;

    public ProgressLine(TextWriter error, TimeProvider clock, bool quiet)
    {
        _error = error;
        _clock = clock;
        _quiet = quiet;
        _terminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        _shown = clock.GetTimestamp();
    }

    public void Show(RunProgress p)
    {
        if ((p.Disconnected > 0) != (_disconnected > 0))
        {
            End();
            _open = false;
            _error.WriteLine(p.Disconnected > 0
                ? string.Create(CultureInfo.InvariantCulture, $"warning: at {p.SimulatedSeconds:0.0} s {OutputText.Count(p.Disconnected, "broker connection")} lost; reconnecting, important messages wait")
                : string.Create(CultureInfo.InvariantCulture, $"at {p.SimulatedSeconds:0.0} s all broker connections restored"));
        }

        _disconnected = p.Disconnected;
        double since = _clock.GetElapsedTime(_shown).TotalSeconds;
        if (_quiet || since < (_terminal ? 0.25 : 10))
        {
            return;
        }

        _shown = _clock.GetTimestamp();
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{p.SimulatedSeconds:0.0} of {p.TotalSeconds:0.#} s simulated, {p.TimesRealTime:0.00} × real time, {p.MessagesPerSecond:#,0} messages/s, lag {p.LagSeconds:0.0} s, {p.SecondsLeft:0} s left");
        if (_terminal)
        {
            _error.Write("\r" + line.PadRight(100));
            _open = true;
        }
        else
        {
            _error.WriteLine(line);
        }
    }

    public void End()
    {
        if (_open)
        {
            _error.WriteLine();
        }
    }
}
