using SharpFuzz;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;

// Feeds one decoder with data from the fuzzer. An exception from a decoder counts as a crash. bench/Fuzz/run starts this program.
// To reproduce a finding without the fuzzer, give its file: dotnet run --project bench/Fuzz -- uper FILE
string target = args.FirstOrDefault() ?? "uper";
if (args.Length > 1)
{
    new Decoders().Feed(target, File.ReadAllBytes(args[1]));
    return;
}

// Instrumented code may run only after the fuzzer has provided its shared memory.
Decoders? decoders = null;
Fuzzer.OutOfProcess.Run(stream =>
{
    using var memory = new MemoryStream();
    stream.CopyTo(memory);
    (decoders ??= new Decoders()).Feed(target, memory.ToArray());
});

internal sealed class Decoders
{
    private readonly UperTape _tape = new();
    private readonly JsonBuffer _json = new();
    private readonly byte[] _packed = new byte[FrameReader.MaximumBytes];
    private readonly ParticipantCodec _participants = new();
    private readonly ParticipantMessage _list = new();
    private readonly LampMessage _lamps = new();
    private readonly LampCodec _lampCodec = new(new ParticipantCodec());
    private readonly FrameReader _frames = new();
    private readonly Dialects _dialects = new();
    private readonly WireJson _wireJson = new();

    public void Feed(string target, byte[] data)
    {
        switch (target)
        {
            case "uper": Uper(data); break;
            case "protobuf": Protobuf(data); break;
            case "json": Json(data); break;
            case "dialects": _dialects.Translate(data.Length > 0 && data[0] == '{' ? "V2X/RSU/S1/RSM/UP" : "V2X.RSU.RSM.UP", data, 0); break;
            default: throw new InvalidOperationException($"unknown target {target}: give uper, protobuf, json or dialects");
        }
    }

    private void Uper(byte[] data)
    {
        if (UperCodec.Decode(Csae53.MessageFrame, data, _tape).IsValid)
        {
            // A decoded frame can be written as JSON; after encoding and decoding again, its JSON is the same.
            _json.Clear();
            UperJson.Write(_tape, _json);
            string before = _json.ToString();
            UperResult again = UperCodec.Encode(_tape, _packed, out int length);
            bool isSame = again.IsValid && UperCodec.Decode(Csae53.MessageFrame, _packed.AsSpan(0, length), _tape).IsValid;
            _json.Clear();
            UperJson.Write(_tape, _json);
            if (!isSame || _json.ToString() != before)
            {
                throw new InvalidOperationException($"a frame changed after decoding, encoding and decoding again: {again}");
            }
        }

        foreach (TopicKind kind in (TopicKind[])[TopicKind.BsmUp, TopicKind.RsmUp, TopicKind.RsiUp, TopicKind.SpatUp, TopicKind.MapUp])
        {
            _frames.Read(kind, data, PayloadFormat.Uper);
        }
    }

    private void Protobuf(byte[] data)
    {
        _participants.DecodeProtobuf(data, _list);
        _lampCodec.Decode(data, _lamps, PayloadFormat.Protobuf);
        _frames.Read(TopicKind.RsmUp, data, PayloadFormat.Protobuf);
        foreach (WireRecord record in PayloadCatalogue.All)
        {
            WireProtobuf.Read(record, data, out _);
        }
    }

    private void Json(byte[] data)
    {
        _participants.Decode(data, _list);
        _lampCodec.Decode(data, _lamps);
        _frames.Read(TopicKind.RsmUp, data, PayloadFormat.Json);
        foreach (WireRecord record in PayloadCatalogue.All)
        {
            _wireJson.Read(record, data, out _);
        }
    }
}
