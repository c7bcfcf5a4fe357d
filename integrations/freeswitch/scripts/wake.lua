-- Rings an account whose phone may be asleep: <action application="lua" data="wake.lua ACCOUNT DOMAIN"/>
--
-- A request to the service is held until the phone is ready. It is made in a thread of its own (luarun starts this
-- script a second time, without a session), so that the caller's thread notices at once when the caller hangs up.

-- The service. The next one is asked, with the same call_id, when one cannot be reached, is too late, has no outcome to
-- tell, or is stopping.
local URLS = { "http://127.0.0.1:8080" }
-- PBX_TOKEN of the service, or nil.
local TOKEN = nil
-- Seconds for one request. Longer than APP_PUSH_ROUNDTRIP_WAIT (4 s unless it was changed), or the call is given up
-- while the phone is still starting.
local WAIT_SECONDS = 6
-- Seconds for a connection to be made, and for a request that the service answers at once.
local CONNECT_SECONDS = 1
local CANCEL_SECONDS = 2
-- Seconds that the phone may ring, and after which a registered phone that has not even begun to ring counts as asleep.
local RING_SECONDS = 60
local PROGRESS_SECONDS = 5
-- Seconds for an app that says that it is ready a moment before it has registered.
local REGISTER_SECONDS = 3

-- What becomes of a call that is not rung: FreeSWITCH's word for it, by which the dialplan chooses
-- (unanswered-USER_BUSY and so on). `ready` is rung.
local OUTCOMES = {
  -- The app can be reached and will not take the call.
  ["declined"] = "USER_BUSY",
  -- The phone cannot be reached.
  ["timed-out"] = "SUBSCRIBER_ABSENT",
  ["no-device"] = "SUBSCRIBER_ABSENT",
  ["token-gone"] = "SUBSCRIBER_ABSENT",
  -- The fault is the push service's or ours. To the caller it is the same; the log says which.
  ["push-failed"] = "SUBSCRIBER_ABSENT",
  ["provider-down"] = "SUBSCRIBER_ABSENT",
  ["push-overloaded"] = "SUBSCRIBER_ABSENT",
  ["overloaded"] = "SUBSCRIBER_ABSENT",
  ["storage-unavailable"] = "SUBSCRIBER_ABSENT",
  ["bus-unavailable"] = "SUBSCRIBER_ABSENT",
  ["shutting-down"] = "SUBSCRIBER_ABSENT",
  -- Nobody waits for these.
  ["cancelled"] = "ORIGINATOR_CANCEL",
  ["caller-gone"] = "ORIGINATOR_CANCEL",
}
-- No instance answered, or none with an outcome, or one with a word that a newer service may say.
local OTHERWISE = "SUBSCRIBER_ABSENT"

-- A registered phone that ends like this has not been reached: its binding is dead, and it is woken.
local UNREACHED = {
  PROGRESS_TIMEOUT = true,
  RECOVERY_ON_TIMER_EXPIRE = true,
  NORMAL_TEMPORARY_FAILURE = true,
  DESTINATION_OUT_OF_ORDER = true,
  NETWORK_OUT_OF_ORDER = true,
  USER_NOT_REGISTERED = true,
  GATEWAY_DOWN = true,
}

local api = freeswitch.API()

local function log(level, text)
  freeswitch.consoleLog(level, "wake: " .. text .. "\n")
end

-- Percent-encoded twice: mod_curl decodes what it is given once before it sends it.
local function field(name, value)
  local encoded = value:gsub("[^%w]", function(c) return string.format("%%25%02X", c:byte()) end)
  return name .. "=" .. encoded
end

-- Posts a form. Returns the body of the answer, "" where there was none.
local function post(url, body, seconds)
  -- These are nine words with a TOKEN. Up to FreeSWITCH 1.10.12 mod_curl drops what is behind the tenth.
  local command = { url, "connect-timeout", CONNECT_SECONDS, "timeout", seconds, "post", body }
  if TOKEN then command[#command + 1] = "append_headers 'Authorization: Bearer " .. TOKEN .. "'" end
  return api:execute("curl", table.concat(command, " ")) or ""
end

-- The answer is status=ACK&outcome=ready or status=NAK&outcome=... (an older service leaves the outcome out); what else comes
-- is a sentence that says what is wrong (403, 400), the page of a proxy, or nothing.
local function outcome_of(answer)
  if answer:match("^status=ACK") then return "ready" end
  if answer:match("^status=NAK") then return answer:match("&outcome=([%a-]+)$") or "timed-out" end
  return "unreachable"
end

-- In its own thread: asks one instance after the other, and leaves the outcome on the caller's channel.
local function ask(uuid, body)
  local outcome
  for _, url in ipairs(URLS) do
    local answer = post(url .. "/api/incoming-call/", body, WAIT_SECONDS)
    outcome = outcome_of(answer)
    if outcome ~= "unreachable" and outcome ~= "shutting-down" then break end
    log("err", url .. " was not reached or is not ready: " .. answer:sub(1, 100))
  end
  api:execute("uuid_setvar", uuid .. " wake_outcome " .. outcome)
end

-- In its own thread: no further push, and the request that waits is answered.
local function cancel(call_id)
  local body = field("call_id", call_id) .. "&" .. field("reason", "hung up")
  for _, url in ipairs(URLS) do
    if post(url .. "/api/call-cancelled/", body, CANCEL_SECONDS) == "status=CANCELLED" then return end
  end
end

if not session then
  if argv[1] == "ask" then ask(argv[2], argv[3]) else cancel(argv[2]) end
  return
end

local account = argv[1]
local user = account .. "@" .. argv[2]

local function registered()
  return not (api:execute("sofia_contact", "*/" .. user) or "error/"):match("^error/")
end

-- Returns the outcome; nil when the caller has hung up.
local function wake()
  local number = (session:getVariable("caller_id_number") or ""):gsub("[^%w+*#._-]", ""):sub(1, 32)
  local name = (session:getVariable("caller_id_name") or ""):sub(1, 64)
  local uuid = session:get_uuid()
  local body = table.concat({
    field("sip_user_id", account),
    field("phonenumber", number ~= "" and number or "anonymous"),
    field("caller_id", name),
    field("call_id", uuid),
    "outcome_in_body=true",
  }, "&")
  -- The caller hears ringing while the phone starts.
  session:execute("ring_ready")
  session:setVariable("wake_outcome", "")
  api:execute("luarun", "wake.lua ask " .. uuid .. " " .. body)
  local last = os.time() + #URLS * WAIT_SECONDS + 2
  local outcome = ""
  while outcome == "" and os.time() < last do
    session:sleep(50)
    if not session:ready() then
      api:execute("luarun", "wake.lua cancel " .. uuid)
      log("notice", account .. ": the caller hung up")
      return nil
    end
    outcome = session:getVariable("wake_outcome") or ""
  end
  log("notice", account .. ": " .. outcome)
  return outcome
end

-- Returns how it ended, in FreeSWITCH's word.
local function ring(options)
  session:execute("bridge", "{" .. options .. "leg_timeout=" .. RING_SECONDS .. "}user/" .. user)
  return session:getVariable("originate_disposition") or "NORMAL_TEMPORARY_FAILURE"
end

-- Wakes the phone and rings it. Returns how it ended; nil when the caller has hung up.
local function wake_and_ring()
  local outcome = wake()
  if outcome ~= "ready" then return outcome and (OUTCOMES[outcome] or OTHERWISE) end
  local last = os.time() + REGISTER_SECONDS
  while not registered() do
    if os.time() > last then
      log("warning", account .. ": the app is ready and has not registered here")
      return OTHERWISE
    end
    session:sleep(100)
    if not session:ready() then return nil end
  end
  return ring("")
end

session:setVariable("hangup_after_bridge", "true")
session:setVariable("continue_on_fail", "true")

-- A phone that is registered is rung without a push.
local cause
if registered() then cause = ring("leg_progress_timeout=" .. PROGRESS_SECONDS .. ",") end
if cause == nil or (UNREACHED[cause] and session:ready()) then cause = wake_and_ring() end
if cause ~= nil and session:ready() then
  session:execute("transfer", "unanswered-" .. cause .. " XML " .. session:getVariable("context"))
end
