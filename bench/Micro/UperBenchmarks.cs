using BenchmarkDotNet.Attributes;
using V2XSim.Messages;
using V2XSim.Messages.Uper;

namespace V2XSim.Micro;

/// <summary>An RSM of sixteen lean participants, 348 octets.</summary>
public class UperBenchmarks
{
    private readonly UperTape _tape = new();
    private readonly UperTape _decoded = new();
    private readonly byte[] _target = new byte[4096];
    private readonly JsonBuffer _json = new();
    private byte[] _frame = [];

    [GlobalSetup]
    public void Setup()
    {
        string participants = string.Join(',', Enumerable.Range(1, 16).Select(i => $$$"""
            {"heading":8484,"pos":{"offsetLL":{"position-LL4":{"lat":{{{7000 + (i * 31)}}},"lon":{{{5000 + (i * 17)}}}}},"offsetV":{"offset1":0}},"posConfidence":{"elevation":"elev-001-00","pos":"a50cm"},"ptcId":{{{i}}},"ptcType":"motor","secMark":30500,"size":{"height":30,"length":450,"width":180},"source":"integrated","speed":{{{40 + i}}}}
            """));
        string message = "{\"rsmFrame\":{\"id\":\"5233323930303031\",\"msgCnt\":7,\"participants\":[" + participants + "],\"refPos\":{\"elevation\":50,\"lat\":315800000,\"long\":1203000000}}}";
        UperJson.Read(Csae53.MessageFrame, System.Text.Encoding.UTF8.GetBytes(message), _tape);
        UperCodec.Encode(_tape, _target, out int length);
        _frame = _target[..length];
        UperCodec.Decode(Csae53.MessageFrame, _frame, _tape);
    }

    [Benchmark]
    public bool Decode_rsm_of_16() => UperCodec.Decode(Csae53.MessageFrame, _frame, _decoded).IsValid;

    [Benchmark]
    public int Encode_rsm_of_16()
    {
        UperCodec.Encode(_tape, _target, out int length);
        return length;
    }

    [Benchmark]
    public int Write_json_of_16()
    {
        _json.Clear();
        UperJson.Write(_tape, _json);
        return _json.Length;
    }
}
