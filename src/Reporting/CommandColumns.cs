using V2XSim.Contracts;
using V2XSim.Messages;

namespace V2XSim.Reporting;

/// <summary>Table of commands to signal controllers and their answers.</summary>
public sealed class CommandColumns : TableColumns
{
    private readonly Column<long> _time = new("time_us");
    private readonly TextColumn _device = new("device");
    private readonly TextColumn _topic = new("topic");
    private readonly Column<long> _sequence = new("sequence");
    private readonly TextColumn _signal = new("signal");
    private readonly TextColumn _what = new("programme_or_vehicle");
    private readonly TextColumn _state = new("state");
    private readonly TextColumn _text = new("why");

    public ValueTask AddAsync(in CommandRow c)
    {
        _time.Add(c.TimeMicroseconds);
        _device.Add(c.Device);
        _topic.Add(Topics.TailOf(c.Kind));
        _sequence.Add(c.Sequence);
        _signal.Add(c.Signal);
        _what.Add(c.What);
        _state.Add(TextOf(c.State));
        _text.Add(c.Text);
        return Table!.EndRowAsync();
    }

    /// <summary>Name of a state in tables and reports.</summary>
    public static string TextOf(CommandState state) => state switch
    {
        CommandState.Sent => "sent",
        CommandState.NoRoom => "no room",
        CommandState.Accepted => "accepted",
        CommandState.Refused => "refused",
        CommandState.Green => "green",
        _ => "over",
    };

    protected override Column[] Columns() => [_time, _device, _topic, _sequence, _signal, _what, _state, _text];
}
