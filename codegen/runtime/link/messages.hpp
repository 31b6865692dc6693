#pragma once

// The messages between a computer and the firmware; docs/protocol.md has their layouts.
//
// A frame is COBS-encoded and ends with a zero byte; inside it are the header, the payload and the
// CRC-32 of both. All numbers are little-endian.

#include <cstddef>
#include <cstdint>

namespace tinyml {

constexpr std::uint8_t kProtocolVersion = 4;

/// In front of every payload: version 1, message 1, session 4, sequence number 4.
constexpr std::size_t kFrameHeaderBytes = 10;
/// Of version 1: version, message, sequence number 1. What answers another version has this form.
constexpr std::size_t kFirstHeaderBytes = 3;
constexpr std::size_t kFrameCrcBytes = 4;

/// Requests. A reply has the request's number with `kReply` set. Those with `kActs` change what
/// the device holds. They are carried out once: in the session that the last kHello began, and with
/// a sequence number above that of the last one; the last one, repeated, is answered from memory.
enum class Message : std::uint8_t {
  kHello = 0x01,
  kStats = 0x02,
  kMemory = 0x03,
  kTiming = 0x04,
  kReadState = 0x05,
  kClassify = 0x06,
  kLearn = 0x11,
  kLearnLast = 0x12,
  kSave = 0x13,
  kLoad = 0x14,
  kReset = 0x15,
  kSetKnob = 0x16,
  kSetAutosave = 0x17,
  kWriteState = 0x18,
};
constexpr std::uint8_t kActs = 0x10;
constexpr std::uint8_t kReply = 0x80;
/// The reply to what was no valid frame: its session and sequence number are 0.
constexpr std::uint8_t kBrokenFrameReply = 0xFF;

/// The first byte of a reply's payload; only kOk is followed by more.
enum class Status : std::uint8_t {
  kOk = 0,
  kBrokenFrame = 1,     ///< COBS or CRC is wrong: send the request again.
  kWrongVersion = 2,    ///< Another protocol version than the reply's header names.
  kUnknownMessage = 3,  ///<
  kWrongLength = 4,     ///< The payload is too long or too short for its message.
  kWrongLabel = 5,      ///< Not below the number of classes.
  kWrongValue = 6,      ///< A number that is outside its range, or names nothing.
  kNoImage = 7,         ///< kLearnLast of another image than the last one that was taken.
  kNothingSaved = 8,    ///< No valid head of this model is in the flash.
  kNoStorage = 9,       ///< The board has no flash driver, or no room for the head.
  kStorageFailed = 10,  ///< The flash refused; the saved head before is intact.
  kWrongSample = 11,    ///< A pixel or feature is not finite, or a feature is too large.
  kWrongHead = 12,      ///< A weight is not finite or too large: nothing is learned or saved.
  kWrongSession = 13,   ///< Another kHello came since, or the device started anew.
  kUsedSequence = 14,   ///< Not above the last one that acted, and no repetition of it.
};

}  // namespace tinyml
