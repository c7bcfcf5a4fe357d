-- Runs a script as mod_lua does: lua5.4 fake-freeswitch.lua SCRIPT FOLDER UUID WORD... with a session, and with none where
-- UUID is "-". FOLDER is the rest of FreeSWITCH: a file for each channel variable (var-NAME), `hungup` once the caller hung
-- up, `registered` while the phone is, `bridged` with the word that a bridge ends with, and `done`, to which each
-- application and log line is added. Times are short: a sleep takes 10 ms at most.
local script, folder, uuid = arg[1], arg[2], arg[3]

local function read(name)
  local file = io.open(folder .. "/" .. name)
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function write(name, text, mode)
  local file = assert(io.open(folder .. "/" .. name, mode or "w"))
  file:write(text)
  file:close()
end

-- mod_curl of FreeSWITCH 1.10: ten words, the posted text decoded once.
local function curl(line)
  local words, quoted = {}, line:gsub("'([^']*)'", function(text) return (text:gsub(" ", "\1")) end)
  for word in quoted:gmatch("%S+") do
    if #words < 10 then words[#words + 1] = (word:gsub("\1", " ")) end
  end
  local options, body = {}, ""
  for i, word in ipairs(words) do
    local value = words[i + 1]
    if word == "timeout" then options[#options + 1] = "--max-time " .. value end
    if word == "connect-timeout" then options[#options + 1] = "--connect-timeout " .. value end
    if word == "append_headers" then options[#options + 1] = "--header '" .. value .. "'" end
    if word == "post" then
      body = value:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
    end
  end
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(body)
  file:close()
  local answer = io.popen("curl --silent " .. table.concat(options, " ") .. " --data @" .. name .. " " .. words[1])
  local text = answer:read("a")
  answer:close()
  os.remove(name)
  return text
end

local commands = {
  curl = curl,
  sofia_contact = function() return read("registered") or "error/user_not_registered" end,
  uuid_setvar = function(line)
    local id, name, value = line:match("^(%S+) (%S+) (.*)$")
    if id == read("uuid") then write("var-" .. name, value) end
    return "+OK"
  end,
  luarun = function(line)
    local _, words = line:match("^(%S+) (.*)$")
    os.execute(("lua5.4 '%s' '%s' '%s' - '%s' &"):format(arg[0], script, folder, words:gsub(" ", "' '")))
    return "+OK"
  end,
}

freeswitch = {
  API = function()
    return { execute = function(_, command, line) return commands[command](line) end }
  end,
  consoleLog = function(level, text) write("done", "log " .. level .. " " .. text, "a") end,
}

argv = { table.unpack(arg, 4) }

if uuid ~= "-" then
  write("uuid", uuid)
  session = {
    ready = function() return read("hungup") == nil end,
    sleep = function() os.execute("sleep 0.01") end,
    get_uuid = function() return uuid end,
    getVariable = function(_, name) return read("var-" .. name) end,
    setVariable = function(_, name, value) write("var-" .. name, value) end,
    execute = function(_, application, data)
      write("done", application .. " " .. (data or "") .. "\n", "a")
      if application ~= "bridge" then return end
      write("var-originate_disposition", read("bridged") or "SUCCESS")
      -- A dead binding is dead for one call: the woken phone registers anew.
      os.remove(folder .. "/bridged")
      if read("var-originate_disposition") == "SUCCESS" then write("hungup", "") end
    end,
  }
end

dofile(script)
