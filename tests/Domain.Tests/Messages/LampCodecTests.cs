using System.Text;
using System.Text.Json;
using V2XSim.Messages;
using Xunit;

namespace V2XSim.Domain.Tests.Messages;

public class LampCodecTests
{
    private readonly LampCodec _codec = new(new ParticipantCodec());
    private readonly LampMessage _message = new();

    [Fact]
    public void A_lamp_state_is_read_back_as_it_was_written()
    {
        JsonBuffer json = Written();

        Assert.Equal(RejectReason.None, _codec.Decode(json.Written, _message));

        Assert.Equal(1780272000100, _message.TimestampUnixMilliseconds);
        Assert.Equal("S001", _message.Device);
        Assert.Equal("J4", _message.Junction);
        Assert.Equal([new Lamp(1, 5, 12.3, 7, 3, 3, 42), new Lamp(2, 3, 40, 6, 15, 7, 3)], _message.Lamps);
    }

    [Fact]
    public void The_message_has_every_field_that_the_standard_requires()
    {
        using JsonDocument document = JsonDocument.Parse(Written().ToString());

        foreach (string name in (string[])["signalControllerStamp", "cityCode", "regionId", "crossId", "controlMode", "period", "cycleCountDown", "lampRealInfos"])
        {
            Assert.True(document.RootElement.TryGetProperty(name, out _), name);
        }

        JsonElement lamp = document.RootElement.GetProperty("lampRealInfos")[0];
        foreach (string name in (string[])["phaseId", "lightStatus", "countDown", "lightStatusNext", "nextCountDown", "lightStatusNextNext", "nextNextCountDown", "dataSource"])
        {
            Assert.True(lamp.TryGetProperty(name, out _), name);
        }
    }

    [Theory]
    [InlineData("{\"crossId\":\"J\",\"lampRealInfos\":[]}", RejectReason.MissingField)]
    [InlineData("{\"signalControllerStamp\":1,\"lampRealInfos\":[]}", RejectReason.MissingField)]
    [InlineData("{\"signalControllerStamp\":1,\"cityCode\":\"1\",\"regionId\":\"1\",\"crossId\":\"J\"}", RejectReason.MissingField)]
    [InlineData("{\"signalControllerStamp\":1,\"cityCode\":\"1\",\"regionId\":\"1\",\"crossId\":\"J\",\"lampRealInfos\":[{\"phaseId\":1}]}", RejectReason.MissingField)]
    [InlineData("{\"signalControllerStamp\":1,\"cityCode\":\"1\",\"regionId\":\"1\",\"crossId\":\"J\",\"lampRealInfos\":[{\"phaseId\":1,\"lightStatus\":9}]}", RejectReason.OutOfRange)]
    [InlineData("{\"signalControllerStamp\":1,\"cityCode\":\"1\",\"regionId\":\"1\",\"crossId\":\"J\",\"lampRealInfos\":[{\"phaseId\":1,\"lightStatus\":3,\"countDown\":-1}]}", RejectReason.OutOfRange)]
    [InlineData("{\"signalControllerStamp\":1,\"cityCode\":\"1\",\"regionId\":\"1\",\"crossId\":\"J\",\"lampRealInfos\":\"x\"}", RejectReason.WrongType)]
    [InlineData("{\"signalControllerStamp\":1,", RejectReason.MalformedJson)]
    public void A_bad_lamp_state_is_rejected_with_its_reason(string json, RejectReason reason) =>
        Assert.Equal(reason, _codec.Decode(Encoding.UTF8.GetBytes(json), _message));

    private static JsonBuffer Written()
    {
        var message = new LampMessage { TimestampUnixMilliseconds = 1780272000100, Device = "S001", Junction = "J4", PeriodSeconds = 70, CycleCountDownSeconds = 33.3 };
        message.Lamps.Add(new Lamp(1, 5, 12.3, 7, 3, 3, 42));
        message.Lamps.Add(new Lamp(2, 3, 40, 6, 15, 7, 3));
        var json = new JsonBuffer();
        LampCodec.Encode(message, json);
        return json;
    }
}
